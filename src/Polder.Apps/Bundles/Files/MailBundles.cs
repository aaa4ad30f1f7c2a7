using System.Text;
using System.Text.Unicode;
using Polder.Apps.Bundles.Carrying;
using Polder.Apps.Bundles.Letters;
using Polder.Apps.Bundles.Stores;
using Polder.Apps.Contacts;
using Polder.Identity;
using Polder.Ledger;
using Polder.Ledger.Blocks;
using Polder.Overlay;
using Polder.Overlay.AddressBook;

namespace Polder.Apps.Bundles.Files;

/// <summary>What was written into a bundle.</summary>
/// <param name="Letters">Letters, own and carried ones.</param>
/// <param name="Blocks">Half blocks of TrustChain.</param>
/// <param name="Addresses">Addresses of nodes.</param>
/// <param name="HasCard">Whether the owner's name is in it.</param>
/// <param name="Bytes">Its length.</param>
public sealed record MailBundleMade(int Letters, int Blocks, int Addresses, bool HasCard, long Bytes);

/// <summary>What became of a bundle that was read.</summary>
/// <param name="Refusal">Why nothing was taken; none: what could be taken was.</param>
/// <param name="Maker">Who made it; null where that is not said.</param>
/// <param name="Made">When, by its maker's clock.</param>
/// <param name="LettersForUs">Letters for us that are new.</param>
/// <param name="LettersToCarry">Letters for others that are carried from now on.</param>
/// <param name="LettersKnown">Letters that were here before, or arrived meanwhile.</param>
/// <param name="LettersRefused">Letters that were not taken: out of time, no room, not by our rules, or nobody here takes them at present.</param>
/// <param name="Blocks">Half blocks that are new.</param>
/// <param name="Addresses">Addresses that are new.</param>
/// <param name="Alias">What its maker calls itself; null: not said.</param>
public sealed record MailBundleTaken(
    MailBundleRefusal Refusal, PublicKey? Maker = null, DateTimeOffset Made = default, int LettersForUs = 0, int LettersToCarry = 0, int LettersKnown = 0,
    int LettersRefused = 0, int Blocks = 0, int Addresses = 0, string? Alias = null)
{
    /// <summary>Whether it brought anything.</summary>
    public bool IsNew => LettersForUs + LettersToCarry + Blocks + Addresses > 0;
}

/// <summary>Bundles: what waits for somebody, or for everybody, in one sealed and signed file that a person carries. On the node's loop.</summary>
internal sealed class MailBundles(Mailbag bag, NodeHost host)
{
    /// <summary>Blocks of both chains that go with a bundle for somebody.</summary>
    private const int BlocksMax = 2_000;

    /// <summary>Writes a bundle: for one, all that is for it; for nobody in particular, all that may be carried. What is written goes on waiting here.</summary>
    public async Task<MailBundleMade> ExportAsync(PublicKey? receiver, Stream to, CancellationToken cancel = default)
    {
        var chunks = new Queue<byte[]>();
        var bytes = 0L;
        // An open file can be found by anybody: it says nothing of its maker.
        var entropy = new byte[KeyPair.EntropyBytes];
        host.Environment.Random.Fill(entropy);
        using var throwaway = KeyPair.FromEntropy(entropy);
        var signer = receiver is null ? throwaway : host.Identity;
        using var writer = new BundleWriter(host.Environment, signer, receiver, host.Options.Network, bag.UnixSeconds, chunks.Enqueue);
        var (letters, blocks, addresses) = (0, 0, 0);
        foreach (var own in bag.Outbox.Open.Where(letter => letter.IsKept && (receiver is null || letter.To == receiver)).ToArray())
        {
            if (!own.IsOpen || !AddLetter(writer, own.Id)) continue;
            letters++;
            own.ExportedAt = bag.UnixSeconds;
            bag.Outbox.Keep(own);
            await FlushAsync();
        }
        foreach (var carried in bag.Carried.All.ToArray())
        {
            if (!carried.IsKept || (receiver is not null && !carried.Envelope.IsFor(receiver)) || bag.Carried.Find(carried.Id) is null || !AddLetter(writer, carried.Id)) continue;
            letters++;
            await FlushAsync();
        }
        foreach (var note in bag.Notes.After(0, MailLimits.NotesMax).ToArray())
        {
            var body = new byte[40];
            System.Buffers.Binary.BinaryPrimitives.WriteUInt64BigEndian(body, note.Id.Head);
            note.Proof.Value.CopyTo(body.AsSpan(8));
            writer.Add(BundleRecord.Proof, body);
        }
        var hasCard = receiver is not null && bag.Contacts.OwnName.Length > 0;
        if (hasCard) writer.Add(BundleRecord.Card, Encoding.UTF8.GetBytes(bag.Contacts.OwnName));
        if (receiver is not null)
            foreach (var block in BlocksWith(receiver))
            {
                writer.Add(BundleRecord.Block, block.Packed.Span);
                blocks++;
                await FlushAsync();
            }
        if (PeerBundle.TryRead(host.Contact.ExportBundle(), host.Options.Network, host.Environment.Signatures, out var peers) == BundleRefusal.None && peers!.Addresses.Count > 0)
        {
            writer.Add(BundleRecord.Addresses, PeerBundle.Write(host.Options.Network, signer, bag.UnixSeconds, peers.Addresses, host.Environment.Signatures));
            addresses = peers.Addresses.Count;
        }
        writer.End();
        await FlushAsync();
        await to.FlushAsync(cancel);
        await bag.TryFlushAsync();
        return new MailBundleMade(letters, blocks, addresses, hasCard, bytes);

        async Task FlushAsync()
        {
            while (chunks.TryDequeue(out var chunk))
            {
                bytes += chunk.Length;
                await to.WriteAsync(chunk, cancel);
            }
        }
    }

    /// <summary>
    /// Takes a bundle from a stream that can seek. It is checked from end to end first; then every part is taken by its own rules, so that the same
    /// bundle once more changes nothing.
    /// </summary>
    public async Task<MailBundleTaken> ImportAsync(Stream from, CancellationToken cancel = default)
    {
        if (from.Length - from.Position > BundleFormat.BytesMax) return new MailBundleTaken(MailBundleRefusal.TooLong);
        var start = from.Position;
        var (refusal, maker) = await ReadAsync(from, null, cancel);
        if (refusal != MailBundleRefusal.None) return new MailBundleTaken(refusal);
        from.Position = start;
        var taken = new MailBundleTaken(MailBundleRefusal.None, maker!.IsOpen ? null : maker.Key, DateTimeOffset.FromUnixTimeSeconds(maker.Made));
        (refusal, _) = await ReadAsync(from, async (type, body) => taken = await TakeAsync(taken, maker, type, body), cancel);
        await bag.TryFlushAsync();
        bag.Rounds.Look();
        // Whoever changed the file between the two readings gave us no more than its records do by themselves.
        return refusal == MailBundleRefusal.None ? taken : new MailBundleTaken(refusal);
    }

    private bool AddLetter(BundleWriter writer, LetterId id)
    {
        if (bag.Store.Read(MailShelf.Sealed, id.Hash.ToArray()) is not { } letter) return false;
        // Whoever imports it holds it for its receiver, and may export it again: people bound that.
        writer.Add(BundleRecord.Letter, LetterRecord.Write(1, 1, letter));
        return true;
    }

    /// <summary>The newest of our chain and of theirs that name the other, oldest first.</summary>
    private List<HalfBlock> BlocksWith(PublicKey receiver)
    {
        if (host.Find<TrustChainCommunity>() is not { } ledger) return [];
        var store = ledger.Store;
        var (own, theirs) = (host.Identity.Public, receiver);
        // Our chain without gaps, as far as it fits: half of what they need to compute with is not ours alone.
        var length = store.Latest(own.Bytes)?.Sequence ?? 0;
        var from = length > BlocksMax ? length - BlocksMax + 1 : 1;
        var blocks = new List<HalfBlock>(store.Range(own.Bytes, from, length, BlocksMax));
        foreach (var block in store.LinkingTo(own.Bytes, 1, uint.MaxValue, BlocksMax))
            if (block.PublicKey.SequenceEqual(theirs.Bytes) && blocks.Count < 2 * BlocksMax) blocks.Add(block);
        return blocks;
    }

    private async Task<(MailBundleRefusal Refusal, BundleMaker? Maker)> ReadAsync(Stream from, Func<BundleRecord, byte[], Task>? take, CancellationToken cancel)
    {
        var header = new byte[BundleFormat.HeaderBytes];
        var got = await from.ReadAtLeastAsync(header, header.Length, throwOnEndOfStream: false, cancel);
        var refusal = BundleReader.TryOpen(host.Environment, host.Identity, host.Options.Network, header.AsSpan(0, got), out var opened);
        if (opened is null) return (refusal, null);
        using var reader = opened;
        var (length, box, records) = (new byte[4], new byte[BundleFormat.ChunkTextBytes + BundleFormat.TagBytes], new List<(BundleRecord Type, byte[] Body)>());
        while (true)
        {
            got = await from.ReadAtLeastAsync(length, length.Length, throwOnEndOfStream: false, cancel);
            if (got == 0) return (reader.IsWhole ? MailBundleRefusal.None : MailBundleRefusal.Damaged, reader.Maker);
            if (got < length.Length || BundleReader.BoxBytes(length) is not { } bytes) return (MailBundleRefusal.Damaged, null);
            if (await from.ReadAtLeastAsync(box.AsMemory(0, bytes), bytes, throwOnEndOfStream: false, cancel) < bytes) return (MailBundleRefusal.Damaged, null);
            records.Clear();
            if (!reader.TryRead(length, box.AsSpan(0, bytes), records)) return (MailBundleRefusal.Damaged, null);
            if (take is not null)
                foreach (var (type, body) in records) await take(type, body);
        }
    }

    private async Task<MailBundleTaken> TakeAsync(MailBundleTaken taken, BundleMaker maker, BundleRecord type, byte[] body)
    {
        switch (type)
        {
            case BundleRecord.Letter:
                return await TakeLetterAsync(taken, maker, body);
            case BundleRecord.Proof when body.Length == 40:
                bag.Learn(System.Buffers.Binary.BinaryPrimitives.ReadUInt64BigEndian(body), new DeliveryProof(new(body.AsSpan(8))));
                return taken;
            case BundleRecord.Card when !maker.IsOpen && body.Length <= Overlay.Invitations.ContactList.NameBytesMax && Utf8.IsValid(body):
                var alias = ContactNames.Tame(Encoding.UTF8.GetString(body));
                if (bag.IsFriend(maker.Key)) await bag.Contacts.HearAsync(maker.Key, alias, bag.Contacts.Find(maker.Key)!.VerifiedByThem);
                return taken with { Alias = alias };
            case BundleRecord.Block when host.Find<TrustChainCommunity>() is { } ledger && HalfBlock.TryUnpack(body, out var block):
                var known = ledger.Store.Count;
                ledger.Import(block);
                return ledger.Store.Count > known ? taken with { Blocks = taken.Blocks + 1 } : taken;
            case BundleRecord.Addresses:
                return taken with { Addresses = taken.Addresses + host.Contact.ImportBundle(body).Taken };
            default:
                return taken;
        }
    }

    private async Task<MailBundleTaken> TakeLetterAsync(MailBundleTaken taken, BundleMaker maker, byte[] body)
    {
        if (!LetterRecord.TryRead(body, out var copies, out var hops, out _, out var envelope)) return taken with { LettersRefused = taken.LettersRefused + 1 };
        var letter = body.AsMemory(2);
        var id = new LetterId(Polder.Cryptography.Hash256.Of(letter.Span));
        if (envelope!.IsFor(host.Identity.Public))
        {
            var isKnown = bag.Inbox.Find(id.Head) is not null;
            var answer = await bag.Inbox.TakeAsync(letter, null);
            return answer.Verdict != MailVerdict.Arrived ? taken with { LettersRefused = taken.LettersRefused + 1 }
                : isKnown ? taken with { LettersKnown = taken.LettersKnown + 1 } : taken with { LettersForUs = taken.LettersForUs + 1 };
        }
        // The owner put the stick in: what is on it is no stranger's business, up to what a friend may leave here.
        var carried = await bag.CarryAsync(id, envelope, letter, maker.Key, copies, hops, byOwnersWish: true);
        return carried.Verdict switch
        {
            MailVerdict.Carried => taken with { LettersToCarry = taken.LettersToCarry + 1 },
            MailVerdict.Have or MailVerdict.Arrived => taken with { LettersKnown = taken.LettersKnown + 1 },
            _ => taken with { LettersRefused = taken.LettersRefused + 1 },
        };
    }
}
