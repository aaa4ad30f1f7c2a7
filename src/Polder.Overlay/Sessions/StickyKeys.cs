using Polder.Identity;

namespace Polder.Overlay.Sessions;

/// <summary>A key that had a session with us, and until when plain application messages from it are refused.</summary>
/// <param name="Key">Whose.</param>
/// <param name="Until">On the wall clock.</param>
public sealed record StickyKey(PublicKey Key, DateTimeOffset Until);

/// <summary>Where the keys that had sessions outlive the program. Offered to the node before its start; without one they live in memory.</summary>
public interface IStickyKeyStore
{
    /// <summary>What was saved last, as untrusted input; at the start.</summary>
    IReadOnlyList<StickyKey> Load();

    /// <summary>Saves all; called seldom, on the loop, so it hands the writing on.</summary>
    void Save(IReadOnlyList<StickyKey> keys);
}

/// <summary>Which keys had sessions (OV-3.2), and which did not answer initiations (OV-3.3).</summary>
internal sealed class StickyKeys(NodeHost host, SessionOptions options)
{
    private Dictionary<PublicKey, DateTimeOffset>? _known;
    private Dictionary<PublicKey, TimeSpan>? _silent;
    private bool _changed, _loaded;

    private Dictionary<PublicKey, DateTimeOffset> Sticky => _known ??= new(PublicKey.Comparer);
    private Dictionary<PublicKey, TimeSpan> Plain => _silent ??= new(PublicKey.Comparer);

    public bool IsSticky(PublicKey key) => _known is not null && _known.TryGetValue(key, out var until) && host.Environment.Time.GetUtcNow() < until;

    public bool IsPlain(PublicKey key) => _silent is not null && _silent.TryGetValue(key, out var until) && host.Now < until;

    /// <summary>A session with this key opened or goes on.</summary>
    public void Stick(PublicKey key)
    {
        _silent?.Remove(key);
        if (!Sticky.ContainsKey(key) && Sticky.Count >= options.StickyMax)
        {
            host.Counters.Reached(Cap.StickyKeys);
            var first = Sticky.MinBy(static entry => (entry.Value, entry.Key));
            Sticky.Remove(first.Key);
        }
        Sticky[key] = host.Environment.Time.GetUtcNow() + options.StickyFor;
        _changed = true;
    }

    /// <summary>This key, which never had a session, did not answer.</summary>
    public void MarkPlain(PublicKey key)
    {
        if (Plain.Count >= options.StickyMax) Plain.Clear();
        Plain[key] = host.Now + options.PlainFor;
    }

    public void Load()
    {
        if (_loaded || host.Find<IStickyKeyStore>() is not { } store) return;
        _loaded = true;
        var latest = host.Environment.Time.GetUtcNow() + options.StickyFor;
        foreach (var entry in store.Load().Take(options.StickyMax))
            if (!Sticky.ContainsKey(entry.Key)) Sticky[entry.Key] = entry.Until < latest ? entry.Until : latest;
    }

    public void Save()
    {
        if (!_changed || host.Find<IStickyKeyStore>() is not { } store) return;
        _changed = false;
        var now = host.Environment.Time.GetUtcNow();
        var keys = Sticky.Where(entry => entry.Value > now).Select(static entry => new StickyKey(entry.Key, entry.Value)).ToList();
        keys.Sort(static (a, b) => a.Key.CompareTo(b.Key));
        store.Save(keys);
    }
}
