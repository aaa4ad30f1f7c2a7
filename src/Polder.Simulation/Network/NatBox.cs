using Polder.Net;

namespace Polder.Simulation.Network;

/// <summary>
/// Translates addresses as RFC 4787 describes: mapping and filtering each depend on nothing, on the remote address, or on
/// address and port; mappings die when unused. A box may stand behind another (carrier NAT).
/// </summary>
public sealed class NatBox
{
    private const ushort FirstPort = 20_000;

    private readonly World _world;
    private readonly Dictionary<(Endpoint Inner, Endpoint Remote), Mapping> _byInner = [];
    private readonly Dictionary<ushort, Mapping> _byPort = [];
    private ushort _nextPort = FirstPort;

    internal NatBox(World world, NatBehaviour behaviour, NatBox? behind)
    {
        (_world, Behaviour) = (world, behaviour);
        OuterRealm = behind?.InnerRealm ?? world.Network.Internet;
        InnerRealm = new Realm(this);
        Outside = OuterRealm.NewAddress(forBox: true);
        OuterRealm.Boxes[Outside] = this;
    }

    /// <summary>What it does.</summary>
    public NatBehaviour Behaviour { get; }

    /// <summary>Its outer address; the port is 0.</summary>
    public Endpoint Outside { get; private set; }

    /// <summary>Mappings that it holds, dead ones included until somebody asks for them.</summary>
    public int Mappings => _byPort.Count;

    internal Realm InnerRealm { get; }
    internal Realm OuterRealm { get; }

    /// <summary>Forgets every mapping, as a box does that is switched off and on.</summary>
    public void Forget()
    {
        _byInner.Clear();
        _byPort.Clear();
    }

    /// <summary>Gets another outer address, and forgets every mapping.</summary>
    public void ChangeAddress()
    {
        OuterRealm.Boxes.Remove(Outside);
        Outside = OuterRealm.NewAddress(forBox: true);
        OuterRealm.Boxes[Outside] = this;
        Forget();
    }

    /// <summary>A datagram goes out: gives the outer endpoint that it now seems to come from, and opens the way back.</summary>
    internal Endpoint Out(Endpoint inner, Endpoint remote)
    {
        var now = _world.NowTicks;
        var key = (inner, Key(Behaviour.Mapping, remote));
        if (!_byInner.TryGetValue(key, out var mapping) || IsDead(mapping, now))
        {
            if (mapping is not null) Remove(mapping);
            mapping = new Mapping(inner, key.Item2, FreePort(inner.Port, now));
            _byInner[key] = mapping;
            _byPort[mapping.Port] = mapping;
        }
        mapping.LastUsed = now;
        if (Behaviour.Filtering != NatDependence.EndpointIndependent) mapping.Remotes[Key(Behaviour.Filtering, remote)] = now;
        return Outside.WithPort(mapping.Port);
    }

    /// <summary>A datagram comes in: gives the inner endpoint it is for, or null when the box drops it.</summary>
    internal Endpoint? In(Endpoint from, ushort port)
    {
        var now = _world.NowTicks;
        if (!_byPort.TryGetValue(port, out var mapping)) return null;
        if (IsDead(mapping, now))
        {
            Remove(mapping);
            return null;
        }
        if (Behaviour.Filtering != NatDependence.EndpointIndependent)
        {
            var key = Key(Behaviour.Filtering, from);
            if (!mapping.Remotes.TryGetValue(key, out var contact)) return null;
            if (now - contact > Behaviour.Lifetime.Ticks)
            {
                mapping.Remotes.Remove(key);
                return null;
            }
            if (Behaviour.InboundRefreshes) mapping.Remotes[key] = now;
        }
        if (Behaviour.InboundRefreshes) mapping.LastUsed = now;
        return mapping.Inner;
    }

    /// <summary>Who would get a datagram sent to this port, filters aside.</summary>
    internal Endpoint? Peek(ushort port) => _byPort.TryGetValue(port, out var mapping) ? mapping.Inner : null;

    private bool IsDead(Mapping mapping, long now) => now - mapping.LastUsed > Behaviour.Lifetime.Ticks;

    private void Remove(Mapping mapping)
    {
        _byInner.Remove((mapping.Inner, mapping.Key));
        _byPort.Remove(mapping.Port);
    }

    private ushort FreePort(ushort inner, long now)
    {
        if (Behaviour.KeepsPort && IsFree(inner, now)) return inner;
        while (!IsFree(_nextPort, now)) Advance();
        var port = _nextPort;
        Advance();
        return port;

        void Advance() => _nextPort = _nextPort == ushort.MaxValue ? FirstPort : (ushort)(_nextPort + 1);
    }

    private bool IsFree(ushort port, long now)
    {
        if (!_byPort.TryGetValue(port, out var mapping)) return true;
        if (!IsDead(mapping, now)) return false;
        Remove(mapping);
        return true;
    }

    private static Endpoint Key(NatDependence dependence, Endpoint remote) => dependence switch
    {
        NatDependence.EndpointIndependent => default,
        NatDependence.AddressDependent => remote.WithPort(0),
        _ => remote,
    };

    private sealed class Mapping(Endpoint inner, Endpoint key, ushort port)
    {
        public Endpoint Inner => inner;
        public Endpoint Key => key;
        public ushort Port => port;
        public long LastUsed { get; set; }
        public Dictionary<Endpoint, long> Remotes { get; } = [];
    }
}
