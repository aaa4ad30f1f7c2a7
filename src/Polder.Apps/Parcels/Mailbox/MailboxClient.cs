using System.Globalization;
using System.Text.Json;
using Polder.Runtime;

namespace Polder.Apps.Parcels.Mailbox;

/// <summary>
/// The rules of a mailbox's client over any number of connections: what to say, and what to say again after the line was lost. Frames go
/// out by <see cref="TakeFrames"/>; the adapter sends them, and tells when the line is up and down.
/// </summary>
internal sealed class MailboxClient(string appId, string side, Prng random)
{
    private readonly List<(string Phase, string Body)> _adds = [];
    private readonly List<byte[]> _frames = [];
    private bool _up, _greeted, _allocate, _released, _releaseWanted, _closed, _listWanted;
    private string? _closeMood;

    /// <summary>Our side: 10 hex digits.</summary>
    public string Side => side;
    /// <summary>The number that we use.</summary>
    public string? Nameplate { get; private set; }
    /// <summary>The mailbox behind it, once we know.</summary>
    public string? Mailbox { get; private set; }
    /// <summary>Whether the end was confirmed.</summary>
    public bool IsClosed => _closed;

    /// <summary>Asks for a number.</summary>
    public void Allocate() { _allocate = true; if (_greeted) Send("allocate"); }

    /// <summary>Asks which numbers are in use.</summary>
    public void List() { _listWanted = true; if (_greeted) Send("list"); }

    /// <summary>Uses this number.</summary>
    public void Claim(string nameplate) { Nameplate = nameplate; if (_greeted) SendClaim(); }

    /// <summary>Opens a mailbox by its id, without any number.</summary>
    public void Open(string mailbox) { Mailbox = mailbox; if (_greeted) SendOpen(); }

    /// <summary>Puts a message into the mailbox; again after a lost line, until its echo has come.</summary>
    public void Add(string phase, ReadOnlySpan<byte> body)
    {
        var hex = Convert.ToHexStringLower(body);
        _adds.Add((phase, hex));
        if (_greeted && Mailbox is not null) SendAdd(phase, hex);
    }

    /// <summary>Gives the number back.</summary>
    public void Release()
    {
        if (_releaseWanted || Nameplate is null) return;
        _releaseWanted = true;
        if (_greeted) SendRelease();
    }

    /// <summary>Leaves, with a mood for the server's figures.</summary>
    public void Close(string mood)
    {
        if (_closeMood is not null) return;
        _closeMood = mood;
        if (!_greeted) return;
        if (!_released && Nameplate is not null && Mailbox is not null) Release();
        SendClose();
    }

    /// <summary>The line is up: nothing is said before the server's welcome.</summary>
    public void Connected() => (_up, _greeted) = (true, false);

    /// <summary>The line is down.</summary>
    public void Disconnected() => (_up, _greeted) = (false, false);

    /// <summary>Frames to send now.</summary>
    public byte[][] TakeFrames()
    {
        if (_frames.Count == 0) return [];
        var frames = _frames.ToArray();
        _frames.Clear();
        return frames;
    }

    /// <summary>Answers a wanted stamp; what was held back until then is said.</summary>
    public void SubmitStamp(string stamp)
    {
        Send("submit-permissions", writer =>
        {
            writer.WriteString("method", "hashcash");
            writer.WriteString("stamp", stamp);
        });
        Greet();
    }

    /// <summary>Takes a frame of the server; what the run has to know comes back.</summary>
    public MailboxEvent? Receive(ReadOnlyMemory<byte> frame)
    {
        var told = MailboxEvents.Read(frame);
        switch (told)
        {
            case MailboxEvent.Welcome { Error: null }: Greet(); break;
            case MailboxEvent.Allocated allocated when _allocate && Nameplate is null:
                _allocate = false;
                Nameplate = allocated.Nameplate;
                break;
            case MailboxEvent.Claimed claimed when Mailbox is null:
                Mailbox = claimed.Mailbox;
                SendOpen();
                break;
            case MailboxEvent.Message echo when echo.Side == side:
                _adds.RemoveAll(add => add.Phase == echo.Phase && add.Body == echo.Body);
                return null;
            case MailboxEvent.Closed: _closed = true; break;
            case null when JsonText.Parse(frame) is { } message && JsonText.Of(message, "type") == "released": _released = true; break;
        }
        return told;
    }

    private void Greet()
    {
        if (!_up || _greeted) return;
        _greeted = true;
        Send("bind", writer =>
        {
            writer.WriteString("appid", appId);
            writer.WriteString("side", side);
            writer.WriteStartArray("client_version");
            writer.WriteStringValue("polder");
            writer.WriteStringValue("0.1.0");
            writer.WriteEndArray();
        });
        if (_listWanted) Send("list");
        if (_allocate) Send("allocate");
        // A close that was not confirmed is repeated by name; nothing else matters then.
        if (_closeMood is not null && Mailbox is not null)
        {
            if (!_released && Nameplate is not null) SendRelease();
            SendClose();
            return;
        }
        if (Mailbox is null && Nameplate is not null) SendClaim();
        else if (Mailbox is not null) SendOpen();
        if (_releaseWanted && !_released) SendRelease();
    }

    private void SendClaim() => Send("claim", writer => writer.WriteString("nameplate", Nameplate));

    private void SendOpen()
    {
        Send("open", writer => writer.WriteString("mailbox", Mailbox));
        foreach (var (phase, body) in _adds) SendAdd(phase, body);
    }

    private void SendAdd(string phase, string body) => Send("add", writer =>
    {
        writer.WriteString("phase", phase);
        writer.WriteString("body", body);
    });

    private void SendRelease() => Send("release", writer => writer.WriteString("nameplate", Nameplate));

    private void SendClose()
    {
        if (Mailbox is null) { _closed = true; return; }
        Send("close", writer =>
        {
            writer.WriteString("mailbox", Mailbox);
            writer.WriteString("mood", _closeMood);
        });
    }

    private void Send(string type, Action<Utf8JsonWriter>? fields = null) => _frames.Add(JsonText.Object(writer =>
    {
        writer.WriteString("type", type);
        writer.WriteString("id", random.NextUInt16().ToString("x4", CultureInfo.InvariantCulture));
        fields?.Invoke(writer);
    }));
}
