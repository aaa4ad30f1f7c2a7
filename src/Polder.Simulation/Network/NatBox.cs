using Polder.Net;
using Polder.Runtime;

namespace Polder.Simulation.Network;

/// <summary>
/// Translates addresses as RFC 4787 describes: mapping and filtering each depend on nothing, on the remote address, or on
/// address and port; mappings die when unused. A box may stand behind another (carrier NAT), and may be a firewall that
/// translates nothing.
/// </summary>
public sealed class NatBox
{
    private readonly World _world;
    private readonly Prng _random;
    private readonly Dictionary<(Endpoint Inner, Endpoint Remote), Mapping> _byInner = [];
    private readonly Dictionary<Endpoint, Mapping> _byOuter = [];
    private Dictionary<(Endpoint Inner, Endpoint Remote), long>? _flows;
    private ushort _nextPort;

    internal NatBox(World world, NatBehaviour behaviour, NatBox? behind)
    {
        (_world, Behaviour) = (world, behaviour);
        _random = Prng.Derive(world.Seed, "box/" + world.Network.BoxesMade++);
        _nextPort = behaviour.PortFirst;
        OuterRealm = behind?.InnerRealm ?? world.Network.Internet;
        InnerRealm = new Realm(this);
        if (!behaviour.Translates) return;
        Outside = OuterRealm.NewAddress(forBox: true);
        OuterRealm.Boxes[Outside] = this;
    }

    /// <summary>What it does.</summary>
    public NatBehaviour Behaviour { get; }

    /// <summary>Its outer address; the port is 0. <see cref="Endpoint.None"/> for a firewall that translates nothing.</summary>
    public Endpoint Outside { get; private set; } = Endpoint.None;

    /// <summary>Mappings that it holds, dead ones included until somebody asks for them.</summary>
    public int Mappings => _byOuter.Count;

    /// <summary>Unsolicited datagrams that it answered with an error.</summary>
    public int Rejected { get; private set; }

    internal Realm InnerRealm { get; }
    internal Realm OuterRealm { get; }

    /// <summary>Forgets every mapping, as a box does that is switched off and on.</summary>
    public void Forget()
    {
        _byInner.Clear();
        _byOuter.Clear();
        _flows?.Clear();
    }

    /// <summary>Gets another outer address, and forgets every mapping. A firewall that translates nothing only forgets.</summary>
    public void ChangeAddress()
    {
        Forget();
        if (!Behaviour.Translates) return;
        OuterRealm.Boxes.Remove(Outside);
        Outside = OuterRealm.NewAddress(forBox: true);
        OuterRealm.Boxes[Outside] = this;
    }

    /// <summary>
    /// A datagram goes out: gives the outer endpoint that it now seems to come from, and opens the way back; null when the box does not
    /// let it out.
    /// </summary>
    internal Endpoint? Out(Endpoint inner, Endpoint remote)
    {
        var now = _world.NowTicks;
        if (!Behaviour.PassesUdp || (Behaviour.FlowsMax > 0 && !MayFlow(inner, remote, now))) return null;
        var key = (inner, Key(Behaviour.Mapping, remote));
        if (!_byInner.TryGetValue(key, out var mapping) || IsDead(mapping, now))
        {
            if (mapping is not null) Remove(mapping);
            if (NewOuter(inner, now) is not { } outer) return null;
            mapping = new Mapping(inner, key.Item2, outer);
            _byInner[key] = mapping;
            _byOuter[outer] = mapping;
        }
        mapping.LastUsed = now;
        if (Behaviour.Filtering != NatDependence.EndpointIndependent) mapping.Remotes[Key(Behaviour.Filtering, remote)] = now;
        return mapping.Outer;
    }

    /// <summary>A datagram comes in: gives the inner endpoint it is for, or null when the box drops it.</summary>
    internal Endpoint? In(Endpoint from, Endpoint to)
    {
        var inner = Behaviour.PassesUdp ? Admit(from, to) : null;
        if (inner is null && Behaviour.Rejects) Rejected++;
        return inner;
    }

    /// <summary>Who would get a datagram sent there, filters aside.</summary>
    internal Endpoint? Peek(Endpoint to) => _byOuter.TryGetValue(to, out var mapping) ? mapping.Inner : Behaviour.Translates ? null : to;

    private Endpoint? Admit(Endpoint from, Endpoint to)
    {
        var now = _world.NowTicks;
        if (!_byOuter.TryGetValue(to, out var mapping)) return null;
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

    private bool MayFlow(Endpoint inner, Endpoint remote, long now)
    {
        _flows ??= [];
        if (_flows.Count >= Behaviour.FlowsMax && !_flows.ContainsKey((inner, remote)))
        {
            foreach (var (flow, used) in _flows.ToArray())
                if (now - used > Behaviour.Lifetime.Ticks) _flows.Remove(flow);
            if (_flows.Count >= Behaviour.FlowsMax) return false;
        }
        _flows[(inner, remote)] = now;
        return true;
    }

    private bool IsDead(Mapping mapping, long now) => now - mapping.LastUsed > Behaviour.Lifetime.Ticks;

    private void Remove(Mapping mapping)
    {
        _byInner.Remove((mapping.Inner, mapping.Key));
        _byOuter.Remove(mapping.Outer);
    }

    /// <summary>A free outer endpoint; null when every port of the range is taken.</summary>
    private Endpoint? NewOuter(Endpoint inner, long now)
    {
        if (!Behaviour.Translates) return inner;
        if (Behaviour.Ports == NatPorts.Kept && IsFree(Outside.WithPort(inner.Port), now)) return Outside.WithPort(inner.Port);
        var size = Behaviour.PortLast - Behaviour.PortFirst + 1;
        if (Behaviour.Ports == NatPorts.Sequential)
        {
            for (var tries = 0; tries < size; tries++)
            {
                var outer = Outside.WithPort(_nextPort);
                _nextPort = _nextPort == Behaviour.PortLast ? Behaviour.PortFirst : (ushort)(_nextPort + 1);
                if (IsFree(outer, now)) return outer;
            }
            return null;
        }
        // From a random place upwards, so that a full range is noticed.
        var start = _random.Next(size);
        for (var tries = 0; tries < size; tries++)
            if (Outside.WithPort((ushort)(Behaviour.PortFirst + (start + tries) % size)) is var outer && IsFree(outer, now)) return outer;
        return null;
    }

    private bool IsFree(Endpoint outer, long now)
    {
        if (!_byOuter.TryGetValue(outer, out var mapping)) return true;
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

    private sealed class Mapping(Endpoint inner, Endpoint key, Endpoint outer)
    {
        public Endpoint Inner => inner;
        public Endpoint Key => key;
        public Endpoint Outer => outer;
        public long LastUsed { get; set; }
        public Dictionary<Endpoint, long> Remotes { get; } = [];
    }
}
