using Polder.Cryptography;
using Polder.Identity;
using Polder.Wire;

namespace Polder.Overlay.Dht.Records;

/// <summary>What this node answers to those who search and store.</summary>
internal sealed class DhtAnswers(DhtCommunity dht, NodeHost host)
{
    private const int AnswerBytesMax = 1200 - Packet.SignedBytesMin;
    private const int ContactHeadroom = 19 + Contact.KeyBytes;

    private readonly TurningSecret<ulong> _tokens = new(host.Environment.Random, WriteTokens.SecretBytes, WriteTokens.Tag);

    public void OnFind(Peer peer, Find find)
    {
        if (!dht.Rates.TryTake(peer.Key, dht.Time))
        {
            host.Counters.Count(Refusal.PeerRate);
            return;
        }
        dht.Counters.AnsweredOthers++;
        var token = _tokens.Give(peer.Key, peer.Address, dht.Time);
        var room = AnswerBytesMax - Found.HeadBytes;
        var total = 0;
        (uint, byte[])[] records = find.Flags.HasFlag(FindFlags.Records) ? RecordsFor(find, ref room, out total) : [];
        var (contacts, bytes) = find.Flags.HasFlag(FindFlags.Contacts) ? ContactsFor(find.Target, peer.Key, room) : ((byte)0, []);
        var own = (dht.IsClient ? FindFlags.Client : FindFlags.None) | (dht.IsYoung ? FindFlags.Young : FindFlags.None);
        dht.Tell(peer, new Found(find.Nonce, token, dht.Upkeep.PuzzleNonce, own, (byte)total, records, contacts, bytes));
        if (!find.Flags.HasFlag(FindFlags.Client) && (!find.Flags.HasFlag(FindFlags.Young) || dht.Table.Count < dht.Options.YoungTakenBelow)
            && !dht.Table.Contains(peer.Key) && dht.Table.Wants(peer.Key.NodeId)) dht.Check(peer.Key, peer.Address);
    }

    private (uint, byte[])[] RecordsFor(in Find find, ref int room, out int total)
    {
        total = 0;
        if (dht.HoldsNothing || dht.Held.Get(find.Target) is not { } all) return [];
        var chosen = new List<(uint, byte[])>();
        var now = dht.Time;
        for (var i = 0; i < all.Count; i++)
        {
            var held = all[i];
            if (held.ExpiresAt <= now) continue;
            total++;
            if (total <= find.Skip) continue;
            Take(held.Record, ref room);
            // Whoever asks shall see that the publisher contradicts itself.
            if (held.Rival is { } rival) Take(rival, ref room);

            void Take(DhtRecord record, ref int left)
            {
                var size = 4 + 2 + record.Bytes.Length;
                if (size > left) return;
                left -= size;
                chosen.Add(((uint)(held.ExpiresAt - now).TotalSeconds, record.Bytes.ToArray()));
            }
        }
        total = Math.Min(total, byte.MaxValue);
        return [.. chosen];
    }

    private (byte Count, byte[] Bytes) ContactsFor(in Hash256 target, PublicKey asker, int room)
    {
        Span<TableEntry> found = new TableEntry[Math.Min(dht.Table.Count, 2 * Found.ContactsMax)];
        var count = dht.Table.Closest(target, found, dht.Seconds - (int)dht.Options.ToldFor.TotalSeconds, asker, withDoubtful: false);
        Span<byte> buffer = stackalloc byte[Found.ContactsMax * ContactHeadroom];
        var writer = new WireWriter(buffer);
        var taken = new InlineNetworks();
        byte written = 0;
        for (var i = 0; i < count && written < Found.ContactsMax && writer.Position + ContactHeadroom <= room; i++)
        {
            if (!taken.TryTake(dht.Table.Narrow(found[i].Address), dht.Options.PerNarrowPrefixInAnswer)) continue;
            new Contact(found[i].Key, found[i].Address).Write(ref writer);
            written++;
        }
        return (written, writer.Written.ToArray());
    }

    public void OnStore(Peer peer, Store store)
    {
        if (!dht.Rates.TryTake(peer.Key, dht.Time))
        {
            host.Counters.Count(Refusal.PeerRate);
            return;
        }
        var verdict = TakeRecord(peer, store);
        dht.Counters.Count(verdict);
        dht.Tell(peer, new Stored(store.Nonce, verdict));
    }

    private StoreVerdict TakeRecord(Peer peer, in Store store)
    {
        if (!_tokens.IsGood(store.Token, peer.Key, peer.Address, dht.Time)) return StoreVerdict.BadToken;
        if (store.Remaining == 0 || !DhtRecord.TryRead(store.Record.Span, host.Options.Network, host.Environment.Signatures, out var record, dht.KnownKey) || !dht.IsTimely(record))
            return StoreVerdict.Bad;
        if (!store.IsCache && dht.Table.CloserThanOwn(record.Key) >= dht.Options.ClosestThatStore) return StoreVerdict.NotOurs;
        return dht.Keep(record, store.Remaining, peer.Key, peer.Address, store.IsCache);
    }
}
