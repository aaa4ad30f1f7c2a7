using Polder.Net;

namespace Polder.Overlay.Nat;

/// <summary>What keeps a birthday from being an attack (OV-6.7): one at a time, three in ten minutes, probes counted by the hour and by address.</summary>
internal sealed class BirthdayCaps(NatOptions options)
{
    private static readonly TimeSpan TenMinutes = TimeSpan.FromMinutes(10), Hour = TimeSpan.FromHours(1);
    // Probes are counted in packs, so that an hour's memory is a short list.
    private const int Pack = 64;

    private readonly Queue<TimeSpan> _begun = new();
    private readonly Queue<(TimeSpan At, Endpoint Address, int Probes)> _packs = new();
    private (TimeSpan At, Endpoint Address, int Probes) _open;
    private bool _running;

    /// <summary>Whether one is under way.</summary>
    public bool IsRunning => _running;

    /// <summary>Begins one if it is allowed.</summary>
    public bool TryBegin(TimeSpan now)
    {
        while (_begun.TryPeek(out var at) && now - at >= TenMinutes) _begun.Dequeue();
        if (_running || _begun.Count >= options.BirthdaysPerTenMinutes) return false;
        _begun.Enqueue(now);
        return _running = true;
    }

    /// <summary>The one under way is over.</summary>
    public void End() => _running = false;

    /// <summary>Takes one probe towards an address; false when the hour's or the address's are used up.</summary>
    public bool TryProbe(Endpoint address, TimeSpan now)
    {
        address = address.WithPort(0);
        if (_open.Probes > 0 && (_open.Probes >= Pack || _open.Address != address))
        {
            _packs.Enqueue(_open);
            _open = default;
        }
        while (_packs.TryPeek(out var pack) && now - pack.At >= Hour) _packs.Dequeue();
        int inHour = _open.Probes, atAddress = _open.Address == address ? _open.Probes : 0;
        foreach (var pack in _packs)
        {
            inHour += pack.Probes;
            if (pack.Address == address && now - pack.At < TenMinutes) atAddress += pack.Probes;
        }
        if (inHour >= options.BirthdayProbesPerHour || atAddress >= options.BirthdayProbes) return false;
        _open = _open.Probes == 0 ? (now, address, 1) : _open with { Probes = _open.Probes + 1 };
        return true;
    }
}
