using System.Globalization;
using System.Text;
using Polder.Graph.Model;

namespace Polder.Graph.Shared;

/// <summary>
/// A text that many people edit at the same time (a replicated growable array): what was typed stays together, what was deleted stays
/// deleted, and all who trust the same people see the same. Positions count UTF-16 code units. Reading costs time in proportion to
/// everything ever typed: for notes and articles, not for books.
/// </summary>
/// <remarks><code>
/// in an author's copy: a run that was typed in one go       i/COUNTER.SITE            PARENT:OFFSET:text
///                      code units of a run that were deleted d/COUNTER.SITE/FROM-COUNT true
/// SITE is the first 16 characters of the author's key, and the device. A run's first code unit has its counter, each further one the
/// next; a run hangs on the code unit at OFFSET of PARENT, or on nothing ("::text"). Siblings: the later counter first.
/// </code></remarks>
/// <param name="of">Where it lies; nothing else may be in there.</param>
/// <param name="device">Tells devices of one author apart.</param>
public sealed class SharedText(SharedObject of, string device = "")
{
    private const int SiteCharacters = 16, CharactersMax = 4 * 1024 * 1024;
    private const long CounterMax = 1L << 48;

    /// <summary>The text as it is now.</summary>
    public string Value => Lay(out _, out _);

    /// <summary>Types <paramref name="text"/> in before <paramref name="position"/>; completes when it is durable.</summary>
    public Task InsertAsync(int position, string text)
    {
        ArgumentException.ThrowIfNullOrEmpty(text);
        _ = Lay(out var places, out var next);
        ArgumentOutOfRangeException.ThrowIfNegative(position);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(position, places.Count);
        var parent = position == 0 ? ":" : string.Create(CultureInfo.InvariantCulture, $"{places[position - 1].Run.Id}:{places[position - 1].Offset}");
        return of.PutAsync(string.Create(CultureInfo.InvariantCulture, $"i/{next}.{Site}"), $"{parent}:{text}");
    }

    /// <summary>Deletes <paramref name="count"/> code units from <paramref name="position"/> on.</summary>
    public Task DeleteAsync(int position, int count)
    {
        _ = Lay(out var places, out _);
        ArgumentOutOfRangeException.ThrowIfNegative(position);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(position + (long)count, places.Count);
        var deletions = new List<KeyValuePair<string, GraphValue>>();
        for (var i = position; i < position + count;)
        {
            var (run, from) = places[i];
            var length = 1;
            while (i + length < position + count && places[i + length].Run == run && places[i + length].Offset == from + length) length++;
            deletions.Add(new(string.Create(CultureInfo.InvariantCulture, $"d/{run.Id}/{from}-{length}"), true));
            i += length;
        }
        return of.PutAsync(deletions);
    }

    private string Site => SiteOf(of.Author?.Pub ?? throw new InvalidOperationException("Whoever writes needs a key pair.")) + device;

    private static string SiteOf(string author) => author[..Math.Min(SiteCharacters, author.Length)];

    private sealed record Run(string Id, long Counter, string Site, string Parent, int Offset, string Text)
    {
        public bool[] IsDeleted { get; } = new bool[Text.Length];

        /// <summary>Runs that hang on a code unit of this one.</summary>
        public Dictionary<int, List<Run>> Children { get; } = [];
    }

    /// <summary>Puts the runs together: a walk over code units, of siblings the later first.</summary>
    private string Lay(out List<(Run Run, int Offset)> places, out long next)
    {
        var (runs, deletions) = (new Dictionary<string, Run>(StringComparer.Ordinal), new List<string>());
        var (typed, last) = (0, 0L);
        foreach (var (key, _, value, author) in of.Everything())
        {
            if (key.StartsWith("d/", StringComparison.Ordinal) && value.AsBoolean == true) deletions.Add(key);
            else if (key.StartsWith("i/", StringComparison.Ordinal) && value.AsText is { } text && Read(key, text, author) is { } run && (typed += run.Text.Length) <= CharactersMax)
            {
                runs.TryAdd(run.Id, run);
                last = Math.Max(last, run.Counter + run.Text.Length);
            }
        }
        next = last + 1;
        foreach (var deletion in deletions) Delete(runs, deletion);
        var roots = new List<Run>();
        foreach (var run in runs.Values)
        {
            if (run.Parent.Length == 0) roots.Add(run);
            // What hangs on something that has not come yet waits; nothing can hang on itself, since nothing would lead there.
            else if (runs.TryGetValue(run.Parent, out var parent) && run.Offset < parent.Text.Length)
            {
                if (!parent.Children.TryGetValue(run.Offset, out var children)) parent.Children.Add(run.Offset, children = []);
                children.Add(run);
            }
        }
        places = [];
        var line = new StringBuilder();
        var open = new Stack<(Run Run, int Offset)>();
        Push(roots, null, 0);
        while (open.TryPop(out var place))
        {
            var (run, offset) = place;
            if (!run.IsDeleted[offset])
            {
                line.Append(run.Text[offset]);
                places.Add(place);
            }
            Push(run.Children.GetValueOrDefault(offset) ?? [], run, offset + 1);
        }
        return line.ToString();

        // The earliest lies deepest. The rest of the run is a sibling of what was typed behind its code unit.
        void Push(List<Run> siblings, Run? continued, int at)
        {
            var isOpen = continued is not null && at < continued.Text.Length;
            siblings.Sort(static (one, other) => Order(one.Counter, one.Site, other.Counter, other.Site));
            foreach (var sibling in siblings)
            {
                if (isOpen && Order(sibling.Counter, sibling.Site, continued!.Counter + at, continued.Site) > 0)
                {
                    open.Push((continued, at));
                    isOpen = false;
                }
                open.Push((sibling, 0));
            }
            if (isOpen) open.Push((continued!, at));
        }
    }

    private static int Order(long counter, string site, long otherCounter, string otherSite) =>
        counter != otherCounter ? counter.CompareTo(otherCounter) : string.CompareOrdinal(site, otherSite);

    private static Run? Read(string key, string value, string author)
    {
        var id = key[2..];
        var dot = id.IndexOf('.', StringComparison.Ordinal);
        // Nobody types in another's name.
        if (dot < 1 || !long.TryParse(id.AsSpan(0, dot), NumberStyles.None, CultureInfo.InvariantCulture, out var counter) || counter is < 1 or > CounterMax
            || !id.AsSpan(dot + 1).StartsWith(SiteOf(author), StringComparison.Ordinal)) return null;
        var first = value.IndexOf(':', StringComparison.Ordinal);
        var second = first < 0 ? -1 : value.IndexOf(':', first + 1);
        if (second < 0 || second + 1 == value.Length) return null;
        var offset = 0;
        if (first > 0 && !int.TryParse(value.AsSpan(first + 1, second - first - 1), NumberStyles.None, CultureInfo.InvariantCulture, out offset)) return null;
        return new Run(id, counter, id[(dot + 1)..], value[..first], offset, value[(second + 1)..]);
    }

    private static void Delete(Dictionary<string, Run> runs, string key)
    {
        var slash = key.LastIndexOf('/');
        var dash = key.LastIndexOf('-');
        if (slash < 3 || dash < slash || !runs.TryGetValue(key[2..slash], out var run) || !int.TryParse(key.AsSpan(slash + 1, dash - slash - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var from)
            || !int.TryParse(key.AsSpan(dash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var count)) return;
        for (var i = from; i < run.Text.Length && i - from < count; i++) run.IsDeleted[i] = true;
    }
}
