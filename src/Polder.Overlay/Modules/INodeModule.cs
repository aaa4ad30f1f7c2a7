namespace Polder.Overlay;

/// <summary>A part of a node that is compiled in and can be switched on (decision 0008).</summary>
public interface INodeModule
{
    /// <summary>Its key in configuration, commands, logs and metrics: lower case, no spaces.</summary>
    string Name { get; }

    /// <summary>Creates its services, communities and stores. Called on the node's loop, before or after the start.</summary>
    void Join(NodeHost node);
}
