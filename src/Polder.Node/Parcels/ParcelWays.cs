using System.Security.Cryptography;
using Polder.Apps.Parcels;
using Polder.Apps.Parcels.Transit;

namespace Polder.Node.Parcels;

/// <summary>What a person set for one transfer.</summary>
public sealed record ParcelOptions
{
    /// <summary>The mailbox server, ws://HOST:PORT/v1; null for none.</summary>
    public Uri? Mailbox { get; init; }
    /// <summary>The transit relay; null for none.</summary>
    public TransitHint? Relay { get; init; }
    /// <summary>127.0.0.1 only.</summary>
    public bool Loopback { get; init; }
    /// <summary>Whether direct connections are taken.</summary>
    public bool Listen { get; init; } = true;
}

/// <summary>All ways that this program has of sending and receiving, behind the two fronts.</summary>
public static class ParcelWays
{
    /// <summary>The front of sending.</summary>
    public static ParcelSender Sender(ParcelOptions options) => new([.. Places(options).OfType<ISendingPlace>()], RandomNumberGenerator.Fill);

    /// <summary>The front of receiving.</summary>
    public static ParcelReceiver Receiver(ParcelOptions options) => new([.. Places(options).OfType<IReceivingPlace>()]);

    /// <summary>What is at these paths. Throws <see cref="ParcelEndedException"/>.</summary>
    public static ParcelContents Contents(IReadOnlyList<string> paths) => ContentsReader.Read(paths);

    /// <summary>The places where both sides may meet, mailbox first.</summary>
    private static List<object> Places(ParcelOptions options)
    {
        var places = new List<object>();
        if (options.Mailbox is { } mailbox)
        {
            var here = System.Net.IPAddress.TryParse(mailbox.Host.Trim('[', ']'), out var address) ? System.Net.IPAddress.IsLoopback(address) : mailbox.IsLoopback;
            places.Add(new MailboxPlace(mailbox, Dialogues(options, here)));
        }
        return places;
    }

    /// <summary>How to go on once a mailbox brought both together: ours where the other side speaks it, the stock programs' else.</summary>
    private static List<IParcelDialogue> Dialogues(ParcelOptions options, bool here) =>
        [new StockDialogue(new TransitOptions { Relay = options.Relay, LoopbackOnly = options.Loopback, Listen = options.Listen, PeerMayBeHere = here })];
}
