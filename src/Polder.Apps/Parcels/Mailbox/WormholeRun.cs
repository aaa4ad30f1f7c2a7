using System.Globalization;
using System.Text;
using System.Text.Json;
using Polder.Apps.Parcels.Codes;
using Polder.Cryptography;
using Polder.Runtime;

namespace Polder.Apps.Parcels.Mailbox;

/// <summary>How far a run is.</summary>
internal enum RunState
{
    /// <summary>No key yet: nothing is lost if we leave now.</summary>
    Waiting,
    /// <summary>Our confirmation is out; the code is spent, whatever comes back.</summary>
    Confirming,
    /// <summary>Both know the code.</summary>
    Confirmed,
    /// <summary>The other side used another code.</summary>
    WrongCode,
    /// <summary>The server ended it.</summary>
    Failed,
    /// <summary>We left without showing anything, as <see cref="WormholeRun.MayConfirm"/> said.</summary>
    Left,
}

/// <summary>
/// One run over a mailbox: the key agreement, its confirmation and the numbered messages behind it. Pure rules over a
/// <see cref="MailboxClient"/>; the adapter carries frames and hands the messages on.
/// </summary>
internal sealed class WormholeRun
{
    private const int HeldMax = 64, HeldBytesMax = 2 << 20;

    private readonly RandomFill _fill;
    private readonly string _appId;
    private readonly string _versions;
    private readonly Dictionary<string, byte[]> _held = new(StringComparer.Ordinal);
    private readonly HashSet<string> _seen = new(StringComparer.Ordinal);
    private readonly Queue<byte[]> _messages = new();
    private Spake2? _spake;
    private string? _peerSide;
    private int _heldBytes;
    private long _sent, _delivered;

    /// <param name="appId">The application, "lothar.com/wormhole/text-or-file-xfer" for files.</param>
    /// <param name="versions">The JSON object that we put under <c>app_versions</c>.</param>
    /// <param name="fill">Randomness of the system: it makes keys and nonces.</param>
    /// <param name="ids">Draws the ids of messages, which are no secrets.</param>
    public WormholeRun(string appId, string versions, RandomFill fill, Prng ids)
    {
        (_appId, _versions, _fill) = (appId, versions, fill);
        var side = new byte[5];
        fill(side);
        Client = new MailboxClient(appId, Convert.ToHexStringLower(side), ids);
    }

    /// <summary>Asked before our confirmation goes out, which lets the other side test one guess: whether it may.</summary>
    public Func<bool> MayConfirm { get; set; } = static () => true;

    public MailboxClient Client { get; }
    public RunState State { get; private set; }
    public WormholeKeys? Keys { get; private set; }
    public JsonElement PeerVersions { get; private set; }
    /// <summary>Whether the other side is there: its first message came.</summary>
    public bool PeerSeen => _peerSide is not null;
    /// <summary>What the server complained of.</summary>
    public string? Complaint { get; private set; }
    /// <summary>Messages of the other side, in order.</summary>
    public Queue<byte[]> Messages => _messages;

    /// <summary>Goes to the code's meeting place.</summary>
    public void Use(WormholeCode code)
    {
        var entropy = new byte[Spake2.EntropyBytes];
        _fill(entropy);
        _spake = Spake2.Start(code.Password, Encoding.UTF8.GetBytes(_appId), entropy);
        var pake = JsonText.Object(writer => writer.WriteString("pake_v1", Convert.ToHexStringLower(_spake.Message.Span)));
        Client.Add("pake", pake);
        Client.Claim(code.Nameplate);
    }

    /// <summary>Sends the next numbered message.</summary>
    public void Send(ReadOnlySpan<byte> message)
    {
        if (Keys is null) throw new InvalidOperationException("There is no key yet.");
        AddSealed((_sent++).ToString(CultureInfo.InvariantCulture), message);
    }

    /// <summary>Takes what the client understood.</summary>
    public void Take(MailboxEvent? told)
    {
        if (told is MailboxEvent.Complaint complaint) { Complaint = complaint.Error; Fail(); }
        else if (told is MailboxEvent.Welcome { Error: { } stop }) { Complaint = stop; Fail(); }
        else if (told is MailboxEvent.Message message) TakeMessage(message);
    }

    private void Fail()
    {
        if (State is RunState.Waiting or RunState.Confirming or RunState.Confirmed) State = RunState.Failed;
    }

    private void TakeMessage(MailboxEvent.Message message)
    {
        if (State is RunState.WrongCode or RunState.Failed or RunState.Left || _spake is null) return;
        // One other side only: the one whose key agreement came first.
        if (_peerSide is not null && message.Side != _peerSide) return;
        if (message.Phase.Length > MailboxLimits.PhaseBytesMax || message.Side.Length > MailboxLimits.NameBytesMax) return;
        var body = Hex(message.Body);
        if (message.Phase == "pake")
        {
            if (!_seen.Add("pake")) return;
            _peerSide = message.Side;
            foreach (var foreign in _held.Keys.Where(key => !key.StartsWith(message.Side + "\n", StringComparison.Ordinal)).ToArray()) _held.Remove(foreign);
            if (body is null || Agree(body) is not { } key) { WrongCode(); return; }
            if (!MayConfirm())
            {
                State = RunState.Left;
                Client.Close("lonely");
                return;
            }
            Keys = new WormholeKeys(key);
            State = RunState.Confirming;
            Client.Release();
            AddSealed("version", Encoding.UTF8.GetBytes($"{{\"app_versions\":{_versions}}}"));
            foreach (var (name, held) in _held.ToArray()) Open(name[(name.IndexOf('\n', StringComparison.Ordinal) + 1)..], held);
            _held.Clear();
            return;
        }
        if (message.Phase != "version" && !IsNumber(message.Phase)) return;
        if (Keys is not null) { Open(message.Phase, body); return; }
        if (body is null || _held.Count >= HeldMax || _heldBytes + body.Length > HeldBytesMax) return;
        if (_held.TryAdd(message.Side + "\n" + message.Phase, body)) _heldBytes += body.Length;
    }

    private Hash256? Agree(byte[] body)
    {
        if (JsonText.Parse(body) is not { } json || JsonText.Of(json, "pake_v1") is not { } hex || Hex(hex) is not { } theirs) return null;
        return _spake!.Finish(theirs);
    }

    private void Open(string phase, byte[]? body)
    {
        if (State == RunState.WrongCode || !_seen.Add(phase)) return;
        if (body is null || Keys!.TryOpen(_peerSide!, phase, body) is not { } plaintext) { WrongCode(); return; }
        if (phase == "version")
        {
            PeerVersions = JsonText.Parse(plaintext) is { } json && JsonText.TryGet(json, "app_versions", out var versions) ? versions : default;
            State = RunState.Confirmed;
        }
        else if (_waiting.Count < HeldMax && long.TryParse(phase, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            _waiting[number] = plaintext;
        }
        if (State != RunState.Confirmed) return;
        while (_waiting.Remove(_delivered, out var next))
        {
            _messages.Enqueue(next);
            _delivered++;
        }
    }

    private readonly Dictionary<long, byte[]> _waiting = [];

    private void WrongCode()
    {
        State = RunState.WrongCode;
        // They shall see it too: what we send with our key does not decrypt for them.
        if (Keys is null)
        {
            var nothing = new byte[WormholeKeys.OverheadBytes + 16];
            _fill(nothing);
            Client.Add("version", nothing);
        }
        Client.Close("scary");
    }

    private void AddSealed(string phase, ReadOnlySpan<byte> plaintext)
    {
        Span<byte> nonce = stackalloc byte[SecretBox.NonceBytes];
        _fill(nonce);
        Client.Add(phase, Keys!.Seal(Client.Side, phase, nonce, plaintext));
    }

    private static bool IsNumber(string phase) => phase.Length is > 0 and <= 18 && !phase.AsSpan().ContainsAnyExceptInRange('0', '9');

    private static byte[]? Hex(string text)
    {
        if (text.Length % 2 != 0) return null;
        var bytes = new byte[text.Length / 2];
        return Convert.FromHexString(text, bytes, out _, out _) == System.Buffers.OperationStatus.Done ? bytes : null;
    }
}
