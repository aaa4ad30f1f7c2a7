using Polder.Cryptography;
using Polder.Identity;
using Polder.Overlay.Nat;
using Polder.Overlay.Sessions;
using Polder.Runtime;

namespace Polder.Overlay.Relays;

/// <summary>What we carry for others: reservations, pairs, caps, and the statements about it (OV-6.11, OV-6.12).</summary>
internal sealed class RelayDesk(NodeHost host, RelayService owner)
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    private Dictionary<PublicKey, Reservation> Reserved => field ??= new(PublicKey.Comparer);
    private Dictionary<uint, Pair> Carried => field ??= [];
    private TokenBucket _all;

    private readonly record struct Reservation(ulong Token, TimeSpan Until);

    private sealed class Pair(uint number, PublicKey first, PublicKey second, TimeSpan now, DateTimeOffset opened)
    {
        public uint Number => number;
        public PublicKey First => first;
        public PublicKey Second => second;
        public DateTimeOffset Opened => opened;
        public TimeSpan UsedAt { get; set; } = now;
        public TimeSpan HourBegan { get; set; } = now;
        public long InHour { get; set; }
        public ulong Forth { get; set; }
        public ulong Back { get; set; }
        public ulong Stated { get; set; }
        public uint Statements { get; set; }
        public RelayStatement Last { get; set; }
        public byte[] LastSignature { get; } = new byte[Ed25519.SignatureBytes];
        public TokenBucket Rate;
    }

    private RelayOptions Options => host.Options.Relays;

    public int Pairs => Carried.Count;
    public int Reservations => Reserved.Count;
    public long BytesCarried { get; private set; }
    public long Refused { get; private set; }

    /// <summary>Only who can be reached by anybody relays; before we know, we do not offer it.</summary>
    public bool Offers => Options.Offers && Options.PairsMax > 0 && host.Nat.Class.IsReachable();

    public RelayGrant Reserve(Session guest, RelayReserve ask)
    {
        var key = guest.Peer.Key;
        if (!Offers) return new RelayGrant(RelayStatus.NotOffered, 0, 0);
        Expire();
        if (!Reserved.TryGetValue(key, out var held) && Reserved.Count >= Options.ReservationsMax) return new RelayGrant(RelayStatus.Full, 0, 0);
        var token = held.Token != 0 ? held.Token : host.Environment.Random.NextUInt64() | 1;
        Reserved[key] = new Reservation(token, host.Now + Options.ReservationLifetime);
        return new RelayGrant(RelayStatus.Granted, token, (uint)Options.ReservationLifetime.TotalSeconds);
    }

    public void Open(Session asker, in RelayOpen ask)
    {
        var status = Judge(asker, ask, out var other);
        if (status != RelayStatus.Granted)
        {
            Refused++;
            owner.Send(asker, new RelayOpen { Kind = RelayOpenKind.Refused, Status = status, Other = ask.Other });
            return;
        }
        var (first, second) = (asker.Peer.Key, other!.Peer.Key);
        Pair? pair = null;
        foreach (var known in Carried.Values)
            if ((known.First == first && known.Second == second) || (known.First == second && known.Second == first)) pair = known;
        if (pair is null)
        {
            uint number;
            do number = (uint)(host.Environment.Random.NextUInt64() >> 32);
            while (number == 0 || Carried.ContainsKey(number));
            Carried[number] = pair = new Pair(number, first, second, host.Now, host.Environment.Time.GetUtcNow());
        }
        owner.Send(other, new RelayOpen { Kind = RelayOpenKind.Opened, Pair = pair.Number, Other = first.Bytes });
        owner.Send(asker, new RelayOpen { Kind = RelayOpenKind.Opened, Pair = pair.Number, Other = second.Bytes });
    }

    /// <summary>A datagram of a pair. False: the pair is not ours, or the sender not of it.</summary>
    public bool Carry(Session from, uint number, ReadOnlySpan<byte> body, int datagramBytes)
    {
        if (!Carried.TryGetValue(number, out var pair)) return false;
        var forth = from.Peer.Key == pair.First;
        if (!forth && from.Peer.Key != pair.Second) return false;
        if (host.Sessions.Find(forth ? pair.Second : pair.First) is not { } to) return true;
        var now = host.Now;
        if (now - pair.HourBegan >= Hour) (pair.HourBegan, pair.InHour) = (now, 0);
        if (pair.InHour + datagramBytes > Options.PairBytesPerHour)
        {
            Refused++;
            return true;
        }
        // A quarter of a second at once: a window of a stream fits, a flood does not.
        if (!pair.Rate.TryTake(now, Options.PairBytesPerSecond, Math.Max(4_800, Options.PairBytesPerSecond / 4), datagramBytes)
            || !_all.TryTake(now, Options.BytesPerSecond, Math.Max(4_800, Options.BytesPerSecond / 4), datagramBytes))
        {
            Refused++;
            return true;
        }
        if (!to.Send(FrameType.RelayData, body)) return true;
        pair.UsedAt = now;
        pair.InHour += datagramBytes;
        BytesCarried += datagramBytes;
        if (forth) pair.Forth += (ulong)datagramBytes;
        else pair.Back += (ulong)datagramBytes;
        if (pair.Forth + pair.Back - pair.Stated >= (ulong)Options.StatementBytes) State(pair);
        return true;
    }

    /// <summary>An end says that a pair is over.</summary>
    public bool Close(Session from, uint number)
    {
        if (!Carried.TryGetValue(number, out var pair) || (from.Peer.Key != pair.First && from.Peer.Key != pair.Second)) return false;
        End(pair);
        return true;
    }

    /// <summary>An end countersigned.</summary>
    public bool Countersigned(Session from, RelayStatement statement, ReadOnlySpan<byte> relays, ReadOnlySpan<byte> counter)
    {
        if (!Carried.TryGetValue(statement.Pair, out var pair) || (from.Peer.Key != pair.First && from.Peer.Key != pair.Second)) return false;
        // Only our own word, as we said it last.
        if (statement != pair.Last || !relays.SequenceEqual(pair.LastSignature)
            || !statement.IsSignedBy(from.Peer.Key, host.Identity.Public, pair.First, pair.Second, host.Environment.Signatures, counter)) return true;
        owner.Raise(new RelayReceipt(host.Identity.Public, pair.First, pair.Second, statement, relays.ToArray(), from.Peer.Key, counter.ToArray()));
        return true;
    }

    public void Expire()
    {
        var now = host.Now;
        foreach (var (key, reservation) in Reserved.ToArray())
            if (reservation.Until < now) Reserved.Remove(key);
        foreach (var pair in Carried.Values.ToArray())
            if (now - pair.UsedAt > Options.PairIdle || host.Sessions.Find(pair.First) is null || host.Sessions.Find(pair.Second) is null) End(pair);
    }

    private RelayStatus Judge(Session asker, in RelayOpen ask, out Session? other)
    {
        other = host.Peers.Find(ask.Other) is { } peer ? host.Sessions.Find(peer) : null;
        if (!Options.Offers) return RelayStatus.NotOffered;
        if (other is null || other.Peer.Key == asker.Peer.Key || other.Path.Kind == PathKind.Relayed || asker.Path.Kind == PathKind.Relayed) return RelayStatus.NoReservation;
        var now = host.Now;
        // One of the two must have asked to be found here; the token shows that the asker was told of it.
        var theirs = Reserved.TryGetValue(other.Peer.Key, out var held) && held.Until >= now;
        var own = Reserved.TryGetValue(asker.Peer.Key, out var asked) && asked.Until >= now;
        if (ask.Token != 0 && theirs && held.Token != ask.Token) return RelayStatus.NoReservation;
        if (!theirs && !own) return RelayStatus.NoReservation;
        foreach (var pair in Carried.Values)
            if ((pair.First == asker.Peer.Key && pair.Second == other.Peer.Key) || (pair.Second == asker.Peer.Key && pair.First == other.Peer.Key))
                return RelayStatus.Granted;
        if (Carried.Count >= Options.PairsMax) Expire();
        return Carried.Count >= Options.PairsMax ? RelayStatus.Full : RelayStatus.Granted;
    }

    private void End(Pair pair)
    {
        if (pair.Forth + pair.Back > pair.Stated) State(pair);
        Carried.Remove(pair.Number);
        foreach (var key in new[] { pair.First, pair.Second })
            if (host.Sessions.Find(key) is { } session)
                owner.Send(session, new RelayOpen
                {
                    Kind = RelayOpenKind.Closed, Pair = pair.Number, Other = (key == pair.First ? pair.Second : pair.First).Bytes,
                });
    }

    private void State(Pair pair)
    {
        pair.Stated = pair.Forth + pair.Back;
        pair.Last = new RelayStatement(
            pair.Number, ++pair.Statements, pair.Forth, pair.Back, DateTimeOffset.FromUnixTimeMilliseconds(pair.Opened.ToUnixTimeMilliseconds()));
        pair.Last.Sign(host.Identity, host.Identity.Public, pair.First, pair.Second, host.Environment.Signatures, pair.LastSignature);
        Span<byte> body = stackalloc byte[RelayStatement.Bytes];
        pair.Last.Write(body);
        pair.LastSignature.CopyTo(body[^Ed25519.SignatureBytes..]);
        foreach (var key in new[] { pair.First, pair.Second })
            host.Sessions.Find(key)?.Send(FrameType.RelayStatement, body);
    }
}
