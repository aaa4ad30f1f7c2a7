namespace Polder.Graph.Model;

/// <summary>A value with the state that orders writes of its key: milliseconds since 1970, with fractions.</summary>
/// <param name="State">A finite number; the greater one wins.</param>
/// <param name="Value">What was written.</param>
public readonly record struct GraphEntry(double State, GraphValue Value);

/// <summary>One key of one node, as it is written or was changed.</summary>
/// <param name="Soul">The node.</param>
/// <param name="Key">The key.</param>
/// <param name="State">What orders it.</param>
/// <param name="Value">Its value.</param>
public readonly record struct GraphWrite(string Soul, string Key, double State, GraphValue Value)
{
    /// <summary>State and value alone.</summary>
    public GraphEntry Entry => new(State, Value);

    /// <summary>Characters that it takes in store, roughly.</summary>
    internal int Weight => Soul.Length + Key.Length + Value.Weight + 16;
}
