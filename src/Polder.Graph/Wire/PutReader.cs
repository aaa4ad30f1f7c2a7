using Polder.Graph.Json;
using Polder.Graph.Model;

namespace Polder.Graph.Wire;

/// <summary>Checks a <c>put</c> as a whole before anything of it is applied: souls, metadata, states, values, sizes.</summary>
internal static class PutReader
{
    /// <summary>Adds the writes of a graph; gives what is wrong with it, or null.</summary>
    public static string? Read(JsonItem put, GraphOptions options, List<GraphWrite> writes)
    {
        if (put.Kind != JsonKind.Object) return "put is no graph.";
        foreach (var (soul, node) in JsonText.Ordered(put, sorted: false))
        {
            if (soul.Length == 0) return "A soul may not be empty.";
            if (soul.Length > options.NameCharactersMax) return "A soul is too long.";
            if (node.Kind != JsonKind.Object) return "A node is no object.";
            if (node["_"] is not { Kind: JsonKind.Object } meta) return "A node has no metadata.";
            if (meta["#"]?.AsText is not { } named || !string.Equals(named, soul, StringComparison.Ordinal)) return "The soul in the metadata is another one.";
            if (meta[">"] is not { Kind: JsonKind.Object } states) return "A node has no states.";
            var stateOf = new Dictionary<string, JsonItem>(states.Members.Count, StringComparer.Ordinal);
            foreach (var (key, state) in states.Members) stateOf[key] = state;
            foreach (var (key, item) in JsonText.Ordered(node, sorted: false))
            {
                if (key == "_") continue;
                if (key.Length > options.NameCharactersMax) return "A key is too long.";
                if (!stateOf.TryGetValue(key, out var state)) return "A key has no state.";
                if (state.Kind != JsonKind.Number || !double.IsFinite(state.Number)) return "A state is no number.";
                if (!GraphValue.TryFrom(item, out var value)) return "A value is invalid.";
                if (value.AsLink is { } link && link.Length > options.NameCharactersMax) return "A link is too long.";
                if (value.Weight > options.ValueCharactersMax) return "A value is too large.";
                writes.Add(new GraphWrite(soul, key, state.Number, value));
            }
        }
        return null;
    }
}
