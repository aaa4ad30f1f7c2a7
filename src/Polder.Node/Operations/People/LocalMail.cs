using Polder.Apps.Bundles;
using Polder.Apps.Bundles.Files;
using Polder.Apps.Bundles.Letters;
using Polder.Identity;
using Polder.Node.Folders;
using Polder.Overlay;

namespace Polder.Node.Operations.People;

/// <summary>The mail-bag of the running node in this process.</summary>
internal sealed class LocalMail(PolderNode node, LocalNode local) : IMailOperations
{
    private const int WaitingMax = 500, RecentMax = 50;

    private readonly NodeHost _host = node.Host;

    private Mailbag Bag => _host.Find<Mailbag>()!;

    public Task<MailbagView> LookAsync(CancellationToken cancellation = default) => local.OnLoopAsync(Look, cancellation);

    public async Task<BundleMadeView> ExportAsync(string? receiver, Stream to, CancellationToken cancellation = default)
    {
        // Made whole in the node's folder first: whoever reads slowly holds nothing up, and half a bundle is never handed out.
        var stream = Temporary();
        await using (stream.ConfigureAwait(false))
        {
            var (key, made) = await local.OnLoopAsync(async () =>
            {
                var key = receiver is null ? null : Resolve(receiver);
                if (key == node.Identity) throw new OperationRefusedException(RefusalKind.BadInput, "That is this node itself: nothing waits for it.");
                return (key, await Bag.Bundles.ExportAsync(key, stream, cancellation));
            }, cancellation).ConfigureAwait(false);
            stream.Position = 0;
            await stream.CopyToAsync(to, cancellation).ConfigureAwait(false);
            return new BundleMadeView(key is null ? null : await local.OnLoopAsync(() => Name(key), cancellation).ConfigureAwait(false), made.Letters, made.Blocks, made.Addresses, made.HasCard, made.Bytes);
        }
    }

    public async Task<BundleTakenView> ImportAsync(Stream from, CancellationToken cancellation = default)
    {
        var stream = Temporary();
        await using (stream.ConfigureAwait(false))
        {
            var buffer = new byte[64 * 1024];
            while (await from.ReadAsync(buffer, cancellation).ConfigureAwait(false) is > 0 and var count)
            {
                if (stream.Length + count > IMailOperations.BundleBytesMax) throw Refused(MailBundleRefusal.TooLong);
                await stream.WriteAsync(buffer.AsMemory(0, count), cancellation).ConfigureAwait(false);
            }
            stream.Position = 0;
            var start = new byte[8];
            var got = await stream.ReadAtLeastAsync(start, start.Length, throwOnEndOfStream: false, cancellation).ConfigureAwait(false);
            stream.Position = 0;
            // Files of addresses were there before bundles were; they are taken as ever.
            if (start.AsSpan(0, got).SequenceEqual("PLDRPEER"u8)) return await ImportPeersAsync(stream, cancellation).ConfigureAwait(false);
            return await local.OnLoopAsync(async () =>
            {
                var taken = await Bag.Bundles.ImportAsync(stream, cancellation);
                if (taken.Refusal != MailBundleRefusal.None) throw Refused(taken.Refusal);
                var isContact = taken.Maker is { } maker && Bag.Contacts.Find(maker) is { Blocked: false };
                var name = taken.Maker is { } key ? Name(key) : null;
                var called = name is null ? null : isContact || taken.Alias is null ? name.Name : $"{name.Name}, who calls itself {taken.Alias}";
                return new BundleTakenView(name, isContact, taken.LettersForUs, taken.LettersToCarry, taken.LettersKnown, taken.LettersRefused, taken.Blocks, taken.Addresses, MailWords.Of(taken, called));
            }, cancellation).ConfigureAwait(false);
        }
    }

    private async Task<BundleTakenView> ImportPeersAsync(FileStream stream, CancellationToken cancellation)
    {
        if (stream.Length > Overlay.AddressBook.PeerBundle.BytesMax) throw Refused(MailBundleRefusal.NotABundle);
        var bytes = new byte[stream.Length];
        await stream.ReadExactlyAsync(bytes, cancellation).ConfigureAwait(false);
        var fresh = await local.Network.ImportPeersAsync(bytes, cancellation).ConfigureAwait(false);
        return new BundleTakenView(null, false, 0, 0, 0, 0, 0, fresh, fresh == 1 ? "New: 1 address." : string.Create(System.Globalization.CultureInfo.InvariantCulture, $"New: {fresh} addresses."));
    }

    private MailbagView Look()
    {
        var (bag, options) = (Bag, Bag.Options);
        var open = bag.Outbox.All.Where(static letter => letter.IsOpen && letter.Kind != LetterKinds.Receipt).OrderBy(static letter => letter.Made).ThenBy(static letter => letter.Id).ToArray();
        var over = bag.Outbox.All.Where(static letter => !letter.IsOpen && letter.Kind != LetterKinds.Receipt).OrderByDescending(static letter => letter.StageAt).ThenBy(static letter => letter.Id).Take(RecentMax);
        return new MailbagView(
            [.. open.Take(WaitingMax).Select(View)], open.Length, open.Sum(static letter => (long)letter.Envelope.Bytes), [.. over.Select(View)],
            [.. bag.Carried.All.GroupBy(static letter => (letter.Depositor, letter.IsFriends)).Select(group => new MailDepositView(
                    Name(group.Key.Depositor), group.Key.IsFriends, group.Count(), group.Sum(static letter => (long)letter.Envelope.Bytes),
                    group.Key.IsFriends ? options.FriendBytesMax : options.StrangerBytesMax, DateTimeOffset.FromUnixTimeSeconds(group.Min(static letter => letter.Since))))
                .OrderByDescending(static deposit => deposit.Bytes).ThenBy(static deposit => deposit.From.PublicKey, StringComparer.Ordinal)],
            bag.Carried.Count, bag.Carried.Bytes, bag.Carried.StrangersBytes,
            new MailSettingsView((int)options.Lifetime.TotalDays, options.Copies, options.UsesStrangers, options.CarriesForFriends, options.CarriesForStrangers, options.CarriedBytesMax,
                options.FriendBytesMax, options.StrangersBytesMax, options.StrangerBytesMax, (int)options.StrangerAge.TotalDays));
    }

    private MailLetterView View(OwnLetter letter)
    {
        var state = Bag.StateOf(letter);
        return new MailLetterView(
            letter.Id.ToString(), Name(letter.To), LetterKinds.Name(letter.Kind), DateTimeOffset.FromUnixTimeSeconds(letter.Made), DateTimeOffset.FromUnixTimeSeconds(letter.Envelope.Expires),
            letter.Envelope.Bytes, state.Stage switch
            {
                LetterStage.OnlyHere => "onlyHere", LetterStage.WaitingWith => "waitingWith", LetterStage.Delivered => "delivered", LetterStage.Seen => "seen", _ => "expired",
            }, state.Names, state.Carriers.Count - state.Names.Count, state.ToString());
    }

    private PeerName Name(PublicKey key) => Bag.Contacts.Find(key) is { Blocked: false } card ? new PeerName(key.ToString(), card.Name) : PeerNames.Of(key);

    private PublicKey Resolve(string text)
    {
        var match = Bag.Contacts.FindByName(text);
        if (match.Card is { } card) return card.Key;
        if (match.Several.Count > 0)
            throw new OperationRefusedException(RefusalKind.BadInput, $"\"{text}\" may be {string.Join(" or ", match.Several.Take(4).Select(static one => one.Name))}. Write more of the name.");
        // A whole key is enough: a bundle can be made for somebody who was never met.
        return PublicKey.TryParseHex(text, out var key) ? key : local.Resolve(text);
    }

    private FileStream Temporary()
    {
        var path = Path.Combine(node.DataPath, $"bundle-{Guid.NewGuid():N}.tmp");
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, Share = FileShare.None, Options = FileOptions.DeleteOnClose | FileOptions.Asynchronous, BufferSize = 0,
        };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = DurableFile.OwnerOnly;
        try { return new FileStream(path, options); }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new OperationRefusedException(RefusalKind.Conflict, $"The node's folder cannot be written: {problem.Message}");
        }
    }

    private static OperationRefusedException Refused(MailBundleRefusal refusal) => new(RefusalKind.BadInput, BundleFormat.Explain(refusal));
}
