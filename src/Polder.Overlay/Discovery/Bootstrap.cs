using Polder.Net;

namespace Polder.Overlay.Discovery;

/// <summary>
/// Addresses to begin with, and to come back to: those that the owner named one by one, and of peers that fell silent. Each is
/// tried at growing intervals, never given up if the owner named it (OV-5.2). Whole lists and what earlier runs left are
/// <see cref="AddressBook.FirstContact"/>'s.
/// </summary>
internal sealed class Bootstrap(NodeHost host)
{
    private readonly Dictionary<Endpoint, Entry> _byAddress = [];
    private readonly List<Entry> _entries = [];

    private sealed class Entry(Endpoint address, bool isListed, TimeSpan since)
    {
        public Endpoint Address { get; } = address;
        public bool IsListed { get; set; } = isListed;
        public TimeSpan Since { get; } = since;
        public TimeSpan DueAt { get; set; } = since;
        public int Attempts { get; set; }
    }

    /// <summary>Whether the owner named this address.</summary>
    public bool IsListed(Endpoint address) => host.Contact.IsListed(address) || _byAddress.TryGetValue(address, out var entry) && entry.IsListed;

    /// <summary>An address that the owner named.</summary>
    public void List(Endpoint address)
    {
        if (_byAddress.TryGetValue(address, out var known)) (known.IsListed, known.DueAt) = (true, host.Now);
        else Add(new Entry(address, isListed: true, host.Now));
    }

    /// <summary>An address where somebody answered once.</summary>
    public void Remember(Endpoint address)
    {
        if (_byAddress.ContainsKey(address) || !host.MayWalkTo(address)) return;
        if (_entries.Count >= host.Options.BootstrapMax)
        {
            var oldest = _entries.FindIndex(static entry => !entry.IsListed);
            if (oldest < 0) return;
            Remove(oldest);
        }
        Add(new Entry(address, isListed: false, host.Now));
    }

    /// <summary>A tracker answered: it is asked again only in a while.</summary>
    public void Answered(Endpoint address)
    {
        if (!_byAddress.TryGetValue(address, out var entry)) return;
        entry.Attempts = int.MaxValue / 2;
        entry.DueAt = host.Now + host.Options.BootstrapIntervalMax;
    }

    /// <summary>Tries one address for a community that has nobody to ask, or wants to look beyond whom it knows.</summary>
    public void Try(Community community)
    {
        var (now, random, walk) = (host.Now, host.Environment.Random, community.Introductions);
        if (now < walk.Outside.DueAt) return;
        var isAlone = community.Peers.Count == 0;
        // 1, 2, 4, … 30 s between attempts while nobody is found (OV-6.1).
        var delay = host.Options.BootstrapInterval * Math.Pow(2, Math.Min(walk.Outside.Tries, 16));
        walk.Outside = (now + (delay < host.Options.BootstrapIntervalMax ? delay : host.Options.BootstrapIntervalMax), isAlone ? walk.Outside.Tries + 1 : 0);
        // Any node introduces for any community, so whoever we know will do as well.
        var count = _entries.Count + host.Peers.Count;
        if (count == 0 || !host.MayWalkNow()) return;
        var pick = random.Next(count);
        walk.Knock(pick < _entries.Count ? _entries[pick].Address : host.Peers.All[pick - _entries.Count].Address);
    }

    /// <summary>Tries what is due, in every community. Returns whether anything is still to be found.</summary>
    public bool Step()
    {
        var (now, options) = (host.Now, host.Options);
        var waiting = false;
        for (var i = 0; i < _entries.Count; i++)
        {
            var entry = _entries[i];
            if (host.Peers.FindAt(entry.Address) is { IsValidated: true })
            {
                if (!entry.IsListed) Remove(i--);
                continue;
            }
            if (!entry.IsListed && now - entry.Since > options.RememberFor)
            {
                Remove(i--);
                continue;
            }
            waiting |= entry.Attempts < 8;
            if (now < entry.DueAt || !host.MayWalkNow()) continue;
            var delay = options.BootstrapInterval * Math.Pow(2, Math.Min(entry.Attempts, 16));
            if (delay > options.BootstrapIntervalMax) delay = options.BootstrapIntervalMax;
            if (entry.Attempts < 64) entry.Attempts++;
            // Spread by a tenth, so that nodes cut off together do not return in one instant.
            entry.DueAt = now + delay * (0.9 + 0.2 * host.Environment.Random.NextDouble());
            foreach (var community in host.Communities)
                if (community.Walks) community.Introductions.Knock(entry.Address);
        }
        return waiting;
    }

    private void Add(Entry entry)
    {
        _byAddress.Add(entry.Address, entry);
        _entries.Add(entry);
    }

    private void Remove(int index)
    {
        _byAddress.Remove(_entries[index].Address);
        _entries.RemoveAt(index);
    }
}
