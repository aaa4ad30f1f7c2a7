using Polder.Graph.Model;

namespace Polder.Graph.Shared;

/// <summary>A set of values: of each member the latest word, added or removed, among the trusted authors counts.</summary>
/// <param name="of">Where it lies; nothing else may be in there.</param>
public sealed class SharedSet(SharedObject of)
{
    private const string Prefix = "has/";

    /// <summary>The members, in the order of their JSON texts.</summary>
    public IReadOnlyList<GraphValue> Items =>
        [.. of.GetAll().Where(static item => item.Key.StartsWith(Prefix, StringComparison.Ordinal) && item.Value.AsBoolean == true)
            .Select(static item => GraphValue.TryParse(item.Key[Prefix.Length..], out var value) ? value : GraphValue.Null)];

    /// <summary>Whether it is a member.</summary>
    public bool Contains(GraphValue value) => of.Get(Key(value))?.AsBoolean == true;

    /// <summary>Adds a member.</summary>
    public Task AddAsync(GraphValue value) => of.PutAsync(Key(value), true);

    /// <summary>Removes a member, whoever added it. Who adds it again later is heard.</summary>
    public Task RemoveAsync(GraphValue value) => of.PutAsync(Key(value), false);

    private static string Key(in GraphValue value) => Prefix + value.ToJson();
}
