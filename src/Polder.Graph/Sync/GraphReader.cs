using Polder.Graph.Model;
using Polder.Graph.Wire;

namespace Polder.Graph.Sync;

/// <summary>Answers reads from the store: whole nodes, keys, ranges of keys and of souls, each bounded.</summary>
internal static class GraphReader
{
    private const int SoulsMax = 20_000, KeysMax = 200_000;

    /// <summary>The slices of an answer, none where nothing is found.</summary>
    public static List<string> Read(SharedGraph graph, GetRequest get)
    {
        var answer = new Slices(graph.Options);
        // Without a budget gun.js gives the first item of a range only.
        var budget = get.IsLexical ? new Budget(get.Budget ?? 0) : new Budget(double.PositiveInfinity);
        if (get.ExactSoul is { } soul) ReadNode(graph, soul, get.Key, budget, answer);
        else
        {
            var (souls, seen) = (get.Soul, 0);
            graph.Store.WalkSouls(souls.LeastName, souls.Backwards, name =>
            {
                if (souls.EndsBefore(name)) return souls.Backwards;
                if (souls.Selects(name)) ReadNode(graph, name, get.Key, budget, answer);
                return !budget.IsSpent && !answer.IsFull && ++seen < SoulsMax;
            });
        }
        return answer.Finish();
    }

    private static void ReadNode(SharedGraph graph, string soul, Lexical? keys, Budget budget, Slices answer)
    {
        if (keys is { Exact: { } exact, Prefix: null })
        {
            if (graph.Find(soul, exact) is not { } entry) return;
            answer.Add(soul, exact, entry);
            budget.Spend(entry);
            return;
        }
        var seen = 0;
        graph.Walk(soul, keys?.LeastName ?? "", keys?.Backwards ?? false, (key, entry) =>
        {
            if (keys is not null && keys.EndsBefore(key)) return keys.Backwards;
            if (keys is null || keys.Selects(key))
            {
                answer.Add(soul, key, entry);
                budget.Spend(entry);
            }
            return !budget.IsSpent && !answer.IsFull && ++seen < KeysMax;
        });
    }

    /// <summary>Characters of values that may be given still: texts as long as they are, others nine.</summary>
    private sealed record Budget(double Characters)
    {
        private double _spent;
        public bool IsSpent => _spent > 0 && _spent >= Characters;
        public void Spend(in GraphEntry entry) => _spent += Math.Max(1, entry.Value.AsText?.Length ?? 9);
    }

    private sealed class Slices(GraphOptions options)
    {
        private readonly List<string> _done = [];
        private PutText _open = new();
        private int _characters;

        public bool IsFull => _characters >= options.ReadCharactersMax;

        public void Add(string soul, string key, in GraphEntry entry)
        {
            // A key of this name alters the prototype of gun.js's own objects: whoever wants it asks for it by name.
            if (key == "__proto__" && !_open.IsEmpty) return;
            var before = _open.Weight;
            _open.Add(soul, key, entry);
            _characters += _open.Weight - before;
            if (_open.Weight >= options.AnswerCharactersMax) Close();
        }

        public List<string> Finish()
        {
            Close();
            return _done;
        }

        private void Close()
        {
            if (_open.IsEmpty) return;
            _done.Add(_open.ToString());
            _open = new PutText();
        }
    }
}
