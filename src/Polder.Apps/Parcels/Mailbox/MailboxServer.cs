using System.Text;
using System.Text.Json;
using Polder.Runtime;

namespace Polder.Apps.Parcels.Mailbox;

/// <summary>How a mailbox server behaves towards its visitors.</summary>
public sealed record MailboxServerOptions
{
    /// <summary>A message of the day that clients show; none by default.</summary>
    public string? Motd { get; init; }

    /// <summary>Who may list the numbers in use (for completion at Tab): everybody, visitors near by only (default), or nobody.</summary>
    public MailboxListing Listing { get; init; } = MailboxListing.Nearby;
}

/// <summary>Who may list the numbers in use.</summary>
public enum MailboxListing
{
    /// <summary>Nobody: every list is empty.</summary>
    Nobody,
    /// <summary>Visitors from this machine and from private networks.</summary>
    Nearby,
    /// <summary>Everybody, as the stock server does.</summary>
    Everybody,
}

/// <summary>
/// The rules of a mailbox server (docs/wire/wormhole.md, "Mailbox"): frames of text go in, frames come out; no socket, no clock of its
/// own. Not safe for several threads: the adapter calls one at a time.
/// </summary>
public sealed class MailboxServer
{
    private readonly TimeProvider _time;
    private readonly IMailboxStore? _store;
    private readonly List<(MailboxSession To, byte[] Frame)> _outgoing = [];
    private readonly Dictionary<string, (DateTimeOffset Since, int Count)> _allocations = new(StringComparer.Ordinal);
    private readonly HashSet<MailboxSession> _sessions = [];

    /// <summary>Starts from what the store kept.</summary>
    /// <param name="options">How to behave.</param>
    /// <param name="time">The clock of <c>server_tx</c>.</param>
    /// <param name="random">Draws numbers and ids; they are no secrets, but should not repeat.</param>
    /// <param name="store">Keeps the state; null to forget it at the end.</param>
    public MailboxServer(MailboxServerOptions options, TimeProvider time, Prng random, IMailboxStore? store)
    {
        (Options, _time, _store) = (options, time, store);
        Rooms = new MailboxRooms(random, store?.Load() ?? [], time.GetUtcNow());
    }

    /// <summary>How it behaves.</summary>
    public MailboxServerOptions Options { get; }

    /// <summary>Connections, nameplates and mailboxes at this moment.</summary>
    public (int Connections, int Nameplates, int Mailboxes) Counts => (_sessions.Count, Rooms.NameplateCount, Rooms.RoomCount);

    /// <summary>Transfers that were closed with each mood, since the start; for the owner's figures.</summary>
    public IReadOnlyDictionary<string, long> Moods => _moods;

    internal MailboxRooms Rooms { get; }

    private readonly SortedDictionary<string, long> _moods = new(StringComparer.Ordinal);

    /// <summary>A new connection; null when there are too many. The first frame, the welcome, is sent at once.</summary>
    /// <param name="address">Whose, for limits: the IP address as text, "" for none.</param>
    /// <param name="port">Its port; 0 where unknown.</param>
    /// <param name="nearby">Whether it comes from this machine or a private network.</param>
    /// <param name="send">Takes a frame to send; false when too much waits already, and the line is to be dropped.</param>
    public MailboxSession? Connect(string address, int port, bool nearby, Func<byte[], bool> send)
    {
        if (_sessions.Count >= MailboxLimits.ConnectionsMax) return null;
        if (address.Length > 0 && _sessions.Count(session => session.Address == address) >= MailboxLimits.ConnectionsPerAddressMax) return null;
        var session = new MailboxSession(this, address, nearby, send);
        _sessions.Add(session);
        Answer(session, "welcome", writer =>
        {
            writer.WriteStartObject("welcome");
            if (Options.Motd is { Length: > 0 } motd) writer.WriteString("motd", motd);
            // A hint that others can use; of no use to a visitor on this machine.
            if (address.Length > 0 && !nearby)
            {
                writer.WriteStartObject("your-address");
                writer.WriteString(address.Contains(':', StringComparison.Ordinal) ? "ipv6" : "ipv4", address);
                writer.WriteNumber("port", port);
                writer.WriteEndObject();
            }
            writer.WriteEndObject();
        });
        Flush();
        return session;
    }

    /// <summary>Deletes mailboxes that nobody has looked at for 11 minutes. To be called each 5 minutes.</summary>
    public void Prune()
    {
        var now = _time.GetUtcNow();
        Rooms.Prune(now);
        foreach (var address in _allocations.Where(entry => now - entry.Value.Since > TimeSpan.FromMinutes(1)).Select(entry => entry.Key).ToArray()) _allocations.Remove(address);
        Flush();
    }

    internal DateTimeOffset Now => _time.GetUtcNow();

    internal static double Seconds(DateTimeOffset moment) => (moment - DateTimeOffset.UnixEpoch).TotalMicroseconds / 1e6;

    /// <summary>Whether this address may draw another number in this minute.</summary>
    internal bool MayAllocate(string address)
    {
        if (address.Length == 0) return true;
        var now = Now;
        var (since, count) = _allocations.GetValueOrDefault(address);
        if (now - since > TimeSpan.FromMinutes(1)) (since, count) = (now, 0);
        _allocations[address] = (since, count + 1);
        return count < MailboxLimits.AllocationsPerMinuteMax;
    }

    internal void CountMood(string mood) => _moods[mood] = _moods.GetValueOrDefault(mood) + 1;

    internal void Answer(MailboxSession to, string type, Action<Utf8JsonWriter> fields)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteString("type", type);
            fields(writer);
            writer.WriteNumber("server_tx", Seconds(Now));
            writer.WriteEndObject();
        }
        _outgoing.Add((to, buffer.ToArray()));
    }

    internal void AnswerMessage(MailboxSession to, MailboxMessage message) => Answer(to, "message", writer =>
    {
        writer.WriteString("side", message.Side);
        writer.WritePropertyName("phase");
        writer.WriteRawValue(message.Phase, skipInputValidation: true);
        writer.WritePropertyName("body");
        writer.WriteRawValue(message.Body, skipInputValidation: true);
        writer.WriteNumber("server_rx", message.Received);
        writer.WritePropertyName("id");
        writer.WriteRawValue(message.Id, skipInputValidation: true);
    });

    /// <summary>First the state is kept, then the answers go out.</summary>
    internal void Flush()
    {
        var changes = Rooms.TakeChanges();
        if (changes.Count > 0) _store?.Commit(changes);
        var frames = _outgoing.ToArray();
        _outgoing.Clear();
        foreach (var (to, frame) in frames)
            if (!to.IsGone && !to.Push(frame)) Disconnect(to);
    }

    internal void Disconnect(MailboxSession session)
    {
        session.Leave();
        _sessions.Remove(session);
    }

    /// <summary>Text as UTF-8, for limits in bytes.</summary>
    internal static int Bytes(string text) => Encoding.UTF8.GetByteCount(text);
}
