namespace Polder.Graph.Sync;

/// <summary>A connection to one gun peer that carries text frames: a WebSocket in a node, a queue in a test.</summary>
public interface IGraphLink
{
    /// <summary>Sends one text frame; never waits. What cannot be sent is lost, and the adapter closes the connection.</summary>
    void Send(string frame);

    /// <summary>Ends the connection.</summary>
    void Close();

    /// <summary>Who that is, for people: an address.</summary>
    string Name { get; }

    /// <summary>Who it is that pays for what it writes: connections of one address share one rate.</summary>
    string Payer => Name;

    /// <summary>Whether it comes from this machine; what others may write is limited in rate.</summary>
    bool IsLocal { get; }
}
