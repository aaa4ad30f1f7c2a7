using System.Security.Cryptography;
using Polder.Apps.Parcels;
using Polder.Apps.Parcels.Codes;
using Polder.Apps.Parcels.Native;
using Polder.Apps.Parcels.Transit;
using Polder.Node.Operations;
using Polder.Node.Parcels.Native;
using Polder.Node.Parcels.Native.Journals;
using Polder.Node.Parcels.Native.Meeting;
using Polder.Node.Parcels.Native.Transfer;

namespace Polder.Node.Parcels;

/// <summary>What a person set for one transfer.</summary>
public sealed record ParcelOptions
{
    /// <summary>The mailbox server, ws://HOST:PORT/v1; null for none.</summary>
    public Uri? Mailbox { get; init; }
    /// <summary>Whether others than programs of this machine meet at the mailbox, although its address is one of this machine: it is our node's own.</summary>
    public bool MailboxIsPublic { get; init; }
    /// <summary>The transit relay; null for none.</summary>
    public TransitHint? Relay { get; init; }
    /// <summary>127.0.0.1 only.</summary>
    public bool Loopback { get; init; }
    /// <summary>Whether direct connections are taken.</summary>
    public bool Listen { get; init; } = true;
    /// <summary>The data folder, whose journals make a broken transfer go on; null for none, and then our own way is not taken.</summary>
    public string? DataFolder { get; init; }
    /// <summary>The node that runs on it, for the DHT and for sessions through NATs; null for none.</summary>
    public IParcelOperations? Node { get; init; }
}

/// <summary>All ways that this program has of sending and receiving, behind the two fronts.</summary>
public static class ParcelWays
{
    /// <summary>The front of sending.</summary>
    public static ParcelSender Sender(ParcelOptions options) => Sender(options, Meeting(options), null);

    /// <summary>The front of receiving what waits behind a code.</summary>
    public static ParcelReceiver Receiver(ParcelOptions options, WormholeCode code) => Receiver(options, code, Meeting(options));

    /// <summary>The front of sending, where our own way meets as told.</summary>
    internal static ParcelSender Sender(ParcelOptions options, MeetingOptions meeting, Action<NativeSend>? started) =>
        new([.. Places(options, meeting, started).OfType<ISendingPlace>()], RandomNumberGenerator.Fill);

    /// <summary>The front of receiving, where our own way meets as told. A code is used once at a mailbox: what was begun goes on by the secret that both have since.</summary>
    internal static ParcelReceiver Receiver(ParcelOptions options, WormholeCode code, MeetingOptions meeting) =>
        new([.. Places(IsUnfinished(options, code) ? options with { Mailbox = null } : options, meeting, null).OfType<IReceivingPlace>()]);

    /// <summary>Goes on with what was begun with these paths and broke off: no new code, the receiver types the old one again. Null when there is nothing of the kind.</summary>
    public static Func<CancellationToken, Task<ParcelOutcome>>? Unfinished(ParcelOptions options, IReadOnlyList<string> paths, WormholeCode? code, IParcelSenderHuman human)
    {
        if (options.DataFolder is not { } folder || paths.Count == 0) return null;
        var parcels = new ParcelFolder(folder);
        if (NativePlace.Unfinished(parcels, paths, code?.Text) is null) return null;
        return async stop =>
        {
            await using var send = NativeSend.Start(parcels, paths, code, Meeting(options));
            human.ShowCode(send.Code);
            return await NativePlace.RunAsync(send, new CodeUse(), human, stop).ConfigureAwait(false) ?? new ParcelOutcome(ParcelResult.NoMeeting, "Nobody came back.");
        };
    }

    /// <summary>Whether something behind this code was begun to be received and broke off.</summary>
    public static bool IsUnfinished(ParcelOptions options, WormholeCode code) =>
        options.DataFolder is { } folder && new ParcelFolder(folder).Incoming().Any(journal => journal.State.Code == code.Text);

    /// <summary>What was begun in a data folder and is not finished.</summary>
    public static IReadOnlyList<ParcelView> Journals(string dataFolder) => ParcelJournals.Views(new ParcelFolder(dataFolder));

    /// <summary>Gives one of these up, by its id or code, or "all". Throws <see cref="OperationRefusedException"/> when there is none.</summary>
    public static void Forget(string dataFolder, string id) => ParcelJournals.Forget(new ParcelFolder(dataFolder), id);

    /// <summary>What is wrong with a name that a page gives a file, in words; null for nothing.</summary>
    public static string? NameProblem(string path) => Apps.Parcels.Native.ItemPath.Problem(path);

    private static MeetingOptions Meeting(ParcelOptions options) =>
        new() { Loopback = options.Loopback, Network = options.Node is { } node ? new RunningNodeMeetingNetwork(node) : null };

    /// <summary>What is at these paths. Throws <see cref="ParcelEndedException"/>.</summary>
    public static ParcelContents Contents(IReadOnlyList<string> paths) => ContentsReader.Read(paths);

    /// <summary>Why what is at these paths cannot go our own way, in words; null when it can.</summary>
    public static string? Problem(IReadOnlyList<string> paths)
    {
        try
        {
            _ = SourceFiles.Collect(paths);
            return null;
        }
        catch (ParcelException problem) { return problem.Message; }
    }

    /// <summary>The places where both sides may meet, mailbox first.</summary>
    private static List<object> Places(ParcelOptions options, MeetingOptions meeting, Action<NativeSend>? started)
    {
        var places = new List<object>();
        var parcels = options.DataFolder is { } folder ? new ParcelFolder(folder) : null;
        if (options.Mailbox is not null) meeting = meeting with { HeadStart = GuessBudget.MailboxFirst };
        var native = parcels is null ? null : new NativePlace(parcels, meeting) { Started = started };
        if (options.Mailbox is { } mailbox)
        {
            var here = mailbox.IsLoopback && !options.MailboxIsPublic;
            places.Add(new MailboxPlace(mailbox, Dialogues(options, here, native)) { Memory = parcels });
        }
        if (native is not null) places.Add(native);
        return places;
    }

    /// <summary>How to go on once a mailbox brought both together: ours where the other side speaks it, the stock programs' else.</summary>
    private static List<IParcelDialogue> Dialogues(ParcelOptions options, bool here, NativePlace? native)
    {
        var transit = new TransitOptions { Relay = options.Relay, LoopbackOnly = options.Loopback, Listen = options.Listen, PeerMayBeHere = here };
        return native is null ? [new StockDialogue(transit)] : [new NativeDialogue(native, transit), new StockDialogue(transit)];
    }
}
