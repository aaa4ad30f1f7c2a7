using System.Text.Json;

namespace Polder.Apps.Parcels.Mailbox;

/// <summary>One connection to a mailbox server: reads its messages, in the order and with the words of the stock server.</summary>
public sealed class MailboxSession
{
    private readonly MailboxServer _server;
    private readonly Func<byte[], bool> _send;
    private string? _app, _side, _nameplate, _mailbox;
    private MailboxRooms.Room? _room;
    private bool _allocated, _claimed, _released, _closed;

    internal MailboxSession(MailboxServer server, string address, bool nearby, Func<byte[], bool> send) =>
        (_server, Address, IsNearby, _send) = (server, address, nearby, send);

    /// <summary>Whose connection it is.</summary>
    public string Address { get; }

    /// <summary>Whether the visitor is near.</summary>
    public bool IsNearby { get; }

    /// <summary>Whether the line is to be dropped, or is.</summary>
    public bool IsGone { get; private set; }

    /// <summary>Takes one frame, text or binary; any bytes.</summary>
    public void Receive(ReadOnlyMemory<byte> frame)
    {
        if (IsGone) return;
        try { Handle(frame); }
        // Half a surrogate pair, written as an escape, is JSON to the parser and no text to anybody.
        catch (InvalidOperationException) { Refuse("this holds text that is no Unicode", null); }
        _server.Flush();
    }

    /// <summary>A frame came that was longer than <see cref="MailboxLimits.FrameBytesMax"/> and was not kept.</summary>
    public void ReceiveTooLong()
    {
        Refuse($"a message may have at most {MailboxLimits.FrameBytesMax} bytes", null);
        _server.Flush();
    }

    /// <summary>The line is down.</summary>
    public void Disconnect() => _server.Disconnect(this);

    internal bool Push(byte[] frame) => _send(frame);

    internal void Leave()
    {
        IsGone = true;
        _room?.Subscribers.Remove(this);
        _room = null;
    }

    private void Handle(ReadOnlyMemory<byte> frame)
    {
        if (frame.Length > MailboxLimits.FrameBytesMax) { Refuse($"a message may have at most {MailboxLimits.FrameBytesMax} bytes", null); return; }
        JsonDocument document;
        try { document = JsonDocument.Parse(frame); }
        catch (JsonException) { Refuse("this is not JSON", null); return; }
        using (document)
        {
            var message = document.RootElement;
            if (message.ValueKind != JsonValueKind.Object) { Refuse("a message is a JSON object", message); return; }
            if (!message.TryGetProperty("type", out var type)) { Refuse("missing 'type'", message); return; }
            if (message.TryGetProperty("id", out var id) && id.GetRawText().Length > MailboxLimits.NameBytesMax) { Refuse($"an id may have at most {MailboxLimits.NameBytesMax} bytes", message); return; }
            _server.Answer(this, "ack", writer => WriteId(writer, message));
            if (Dispatch(JsonText.Of(type), message) is { } complaint) Refuse(complaint, message);
        }
    }

    private string? Dispatch(string? type, JsonElement message)
    {
        if (type == "ping") return Ping(message);
        if (type == "bind") return Bind(message);
        if (_app is null) return "must bind first";
        return type switch
        {
            "list" => List(),
            "allocate" => Allocate(),
            "claim" => Claim(message),
            "release" => Release(message),
            "open" => Open(message),
            "add" => Add(message),
            "close" => Close(message),
            _ => "unknown type",
        };
    }

    private string? Ping(JsonElement message)
    {
        if (!message.TryGetProperty("ping", out var ping)) return "ping requires 'ping'";
        if (ping.GetRawText().Length > MailboxLimits.OrigBytesMax) return "this ping is too long";
        _server.Answer(this, "pong", writer =>
        {
            writer.WritePropertyName("pong");
            writer.WriteRawValue(ping.GetRawText(), skipInputValidation: true);
        });
        return null;
    }

    private string? Bind(JsonElement message)
    {
        if (_app is not null) return "already bound";
        if (!message.TryGetProperty("appid", out var appid)) return "bind requires 'appid'";
        if (!message.TryGetProperty("side", out var side)) return "bind requires 'side'";
        if (Name(appid, "an appid", out var app) is { } problem) return problem;
        if (Name(side, "a side", out var who) is { } other) return other;
        (_app, _side) = (app, who);
        return null;
    }

    private string? List()
    {
        var listed = _server.Options.Listing switch
        {
            MailboxListing.Everybody => true,
            MailboxListing.Nearby => IsNearby,
            _ => false,
        };
        var names = listed ? _server.Rooms.Names(_app!).ToArray() : [];
        _server.Answer(this, "nameplates", writer =>
        {
            writer.WriteStartArray("nameplates");
            foreach (var name in names)
            {
                writer.WriteStartObject();
                writer.WriteString("id", name);
                writer.WriteEndObject();
            }
            writer.WriteEndArray();
        });
        return null;
    }

    private string? Allocate()
    {
        if (_allocated) return "you already allocated one, don't be greedy";
        if (!_server.MayAllocate(Address)) return $"at most {MailboxLimits.AllocationsPerMinuteMax} numbers a minute are given to one address";
        if (TooManyHeld() is { } problem) return problem;
        if (_server.Rooms.FreeNumber(_app!) is not { } name) return "no number is free";
        if (Words(_server.Rooms.Claim(_app!, name, _side!, Address, _server.Now).Refusal) is { } refusal) return refusal;
        _allocated = true;
        _server.Answer(this, "allocated", writer => writer.WriteString("nameplate", name));
        return null;
    }

    private string? Claim(JsonElement message)
    {
        if (!message.TryGetProperty("nameplate", out var nameplate)) return "claim requires 'nameplate'";
        if (_claimed) return "only one claim per connection";
        if (Nameplate(nameplate, out var name) is { } problem) return problem;
        if (TooManyHeld() is { } many && !_server.Rooms.Names(_app!).Contains(name)) return many;
        (_claimed, _nameplate) = (true, name);
        var (room, refusal) = _server.Rooms.Claim(_app!, name, _side!, Address, _server.Now);
        if (room is null) return Words(refusal);
        _server.Answer(this, "claimed", writer => writer.WriteString("mailbox", room.Id));
        return null;
    }

    private string? Release(JsonElement message)
    {
        if (_released) return "only one release per connection";
        var name = _nameplate;
        if (message.TryGetProperty("nameplate", out var nameplate))
        {
            if (Nameplate(nameplate, out name) is { } problem) return problem;
            if (_nameplate is not null && name != _nameplate) return "release and claim must use same nameplate";
        }
        if (name is null) return "release without nameplate must follow claim";
        _released = true;
        _server.Rooms.Release(_app!, name, _side!);
        _server.Answer(this, "released", _ => { });
        return null;
    }

    private string? Open(JsonElement message)
    {
        if (_room is not null) return "only one open per connection";
        if (!message.TryGetProperty("mailbox", out var mailbox)) return "open requires 'mailbox'";
        if (Name(mailbox, "a mailbox", out var id) is { } problem) return problem;
        _mailbox = id;
        var (room, refusal) = _server.Rooms.Open(_app!, id, _side!, _server.Now);
        if (room is null) return Words(refusal);
        _room = room;
        room.Subscribers.Add(this);
        foreach (var stored in room.Messages) _server.AnswerMessage(this, stored);
        return null;
    }

    private string? Add(JsonElement message)
    {
        if (_room is null) return "must open mailbox before adding";
        if (!message.TryGetProperty("phase", out var phase)) return "missing 'phase'";
        if (!message.TryGetProperty("body", out var body)) return "missing 'body'";
        if (phase.ValueKind != JsonValueKind.String || body.ValueKind != JsonValueKind.String) return "phase and body are texts";
        if (phase.GetRawText().Length > MailboxLimits.PhaseBytesMax + 2) return $"a phase may have at most {MailboxLimits.PhaseBytesMax} bytes";
        var id = message.TryGetProperty("id", out var given) ? given.GetRawText() : "null";
        var added = new MailboxMessage(_side!, phase.GetRawText(), body.GetRawText(), MailboxServer.Seconds(_server.Now), id);
        if (_room.Messages.Count >= MailboxLimits.MessagesMax) return $"a mailbox holds at most {MailboxLimits.MessagesMax} messages";
        if (_room.Bytes + added.Bytes > MailboxLimits.MailboxBytesMax) return $"a mailbox holds at most {MailboxLimits.MailboxBytesMax} bytes";
        _server.Rooms.Add(_room, added, _server.Now);
        foreach (var subscriber in _room.Subscribers) _server.AnswerMessage(subscriber, added);
        return null;
    }

    private string? Close(JsonElement message)
    {
        if (_closed) return "only one close per connection";
        var id = _mailbox;
        if (message.TryGetProperty("mailbox", out var mailbox))
        {
            if (Name(mailbox, "a mailbox", out id) is { } problem) return problem;
            if (_mailbox is not null && id != _mailbox) return "open and close must use same mailbox";
        }
        if (id is null) return "close without mailbox must follow open";
        if (!_server.Rooms.Close(_app!, id, _side!)) return "crowded";
        _closed = true;
        _room?.Subscribers.Remove(this);
        _room = null;
        _server.CountMood(message.TryGetProperty("mood", out var mood) && JsonText.Of(mood) is "lonely" or "scary" or "errory" or "unwelcome" ? JsonText.Of(mood)! : "happy");
        _server.Answer(this, "closed", _ => { });
        return null;
    }

    private string? TooManyHeld() => _server.Rooms.HeldBy(Address) >= MailboxLimits.NameplatesPerAddressMax
        ? $"one address may hold at most {MailboxLimits.NameplatesPerAddressMax} numbers" : null;

    private static string? Nameplate(JsonElement element, out string name)
    {
        name = JsonText.Of(element) ?? "";
        return name.Length is > 0 and <= MailboxLimits.NameplateDigitsMax && !name.AsSpan().ContainsAnyExceptInRange('0', '9')
            ? null : $"a nameplate is a text of 1 to {MailboxLimits.NameplateDigitsMax} digits";
    }

    private static string? Name(JsonElement element, string what, out string name)
    {
        name = JsonText.Of(element) ?? "";
        return name.Length > 0 && MailboxServer.Bytes(name) <= MailboxLimits.NameBytesMax ? null : $"{what} is a text of 1 to {MailboxLimits.NameBytesMax} bytes";
    }

    private static string? Words(RoomRefusal refusal) => refusal switch
    {
        RoomRefusal.None => null,
        RoomRefusal.Reclaimed => "reclaimed",
        RoomRefusal.OtherApp => "this mailbox belongs to another appid",
        RoomRefusal.Full => "this server is full, try again later",
        _ => "crowded",
    };

    private void Refuse(string complaint, JsonElement? message) => _server.Answer(this, "error", writer =>
    {
        writer.WriteString("error", complaint);
        writer.WritePropertyName("orig");
        if (message is { } orig && orig.GetRawText() is { Length: <= MailboxLimits.OrigBytesMax } text) writer.WriteRawValue(text, skipInputValidation: true);
        else writer.WriteNullValue();
    });

    private static void WriteId(Utf8JsonWriter writer, JsonElement message)
    {
        writer.WritePropertyName("id");
        if (message.TryGetProperty("id", out var id)) writer.WriteRawValue(id.GetRawText(), skipInputValidation: true);
        else writer.WriteNullValue();
    }
}
