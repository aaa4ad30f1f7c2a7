using Polder.Net;

namespace Polder.Overlay.Nat;

/// <summary>Takes the probes that carry a nonce of its own.</summary>
internal interface IProbeTaker
{
    /// <summary>A probe came: to the main socket where <paramref name="via"/> is null.</summary>
    void Receive(IExtraSocket? via, Endpoint from, in PunctureProbe probe);
}

/// <summary>
/// Where probes come in and go out. A probe whose nonce nobody waits for is dropped without an answer, so a stranger can make us
/// do nothing but one look-up.
/// </summary>
internal sealed class ProbeDesk(NodeHost host)
{
    /// <summary>Nonces that are waited for; above this nothing new is begun.</summary>
    private const int NoncesMax = 4_096;

    private Dictionary<ulong, IProbeTaker> Takers => field ??= [];

    /// <summary>A fresh nonce whose probes go to <paramref name="taker"/>; 0 when too many are out.</summary>
    public ulong Open(IProbeTaker taker)
    {
        if (Takers.Count >= NoncesMax) return 0;
        ulong nonce;
        do nonce = host.Environment.Random.NextUInt64();
        while (nonce == 0 || !Takers.TryAdd(nonce, taker));
        return nonce;
    }

    /// <summary>Waits for a nonce that somebody else chose; false when it is taken.</summary>
    public bool TryOpen(ulong nonce, IProbeTaker taker) => nonce != 0 && Takers.Count < NoncesMax && Takers.TryAdd(nonce, taker);

    public void Close(ulong nonce) => Takers.Remove(nonce);

    public void Receive(IExtraSocket? via, Endpoint from, ReadOnlySpan<byte> datagram)
    {
        if (!PunctureProbe.TryRead(datagram, out var probe)) host.Counters.Count(Refusal.NotIPv8);
        else if (!Takers.TryGetValue(probe.ReceiverNonce, out var taker)) host.Counters.Count(Refusal.Unasked);
        else taker.Receive(via, from, probe);
    }

    public void Send(IExtraSocket? via, Endpoint to, ProbeKind kind, ulong receiverNonce, ulong senderNonce)
    {
        if (!to.IsSendable) return;
        Span<byte> datagram = stackalloc byte[PunctureProbe.Bytes];
        new PunctureProbe(kind, receiverNonce, senderNonce, to).Write(datagram);
        if (via is null)
        {
            // Two that dial back to each other at the same time puncture their own NATs: that proves nothing.
            host.Nat.NoteWritten(to);
            host.TransmitSession(to, datagram);
        }
        else
        {
            host.Counters.Sent++;
            host.Counters.BytesOut += datagram.Length;
            via.Send(to, datagram);
        }
    }

    /// <summary>Whether we would probe an address that somebody named: of one machine, not our own, no system port, and private only where that can be meant.</summary>
    public bool MayProbe(Endpoint to, bool sharesOurNetwork)
    {
        if (!to.IsSendable || to.IsLinkLocal || to.Port < 1024 || host.Own.IsOwn(to)) return false;
        if (host.Options.Addresses == AddressRules.Any) return true;
        return !to.IsLoopback && (NatReports.IsPublic(to) || sharesOurNetwork);
    }
}
