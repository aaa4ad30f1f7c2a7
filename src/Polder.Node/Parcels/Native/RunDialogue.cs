using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Polder.Apps.Parcels.Codes;
using Polder.Apps.Parcels.Native;
using Polder.Cryptography;
using Polder.Node.Parcels.Native.Transfer;

namespace Polder.Node.Parcels.Native;

/// <summary>
/// A run over a stream: both agree on a key by a code, the receiver confirms first, and then they talk in encrypted phases; or both meet again by the
/// secret of an earlier run. docs/wire/parcels.md.
/// </summary>
internal sealed class RunDialogue : INativeTalk
{
    private readonly Stream _stream;
    private readonly bool _isSender;
    private readonly string _side = RandomNumberGenerator.GetHexString(10, lowercase: true);
    private WormholeKeys? _keys;
    private string? _their;
    private int _next, _heard;

    public RunDialogue(Stream stream, bool isSender) => (_stream, _isSender) = (stream, isSender);

    /// <summary>The same connection goes on with records.</summary>
    public Task<RecordChannel> ConnectAsync(CancellationToken cancel) => RecordChannel.BeginAsync(_stream, Transit, _isSender, cancel);

    public string Hints => """{"transit":{"abilities-v1":[{"type":"polder-stream-v1"}],"hints-v1":[]}}""";

    /// <summary>The keys of this run, after it was confirmed.</summary>
    public WormholeKeys Keys => _keys ?? throw new InvalidOperationException("Nothing was confirmed yet.");

    /// <summary>The key of the bulk connection.</summary>
    public Hash256 Transit { get; private set; }

    /// <summary>
    /// The sender's half of a run. <see cref="ParcelProblem.WrongCode"/>: a confirmation came and was wrong, so the code is spent. Whatever else ends
    /// the run before costs nothing.
    /// </summary>
    public async Task RunAsSenderAsync(RunFrame first, WormholeCode code, byte[] key, CancellationToken cancel)
    {
        using var spake = Start(code, key);
        await SendFrameAsync("pake", Pake(spake), cancel).ConfigureAwait(false);
        Take(first, spake);
        var frame = await ReadFrameAsync(cancel).ConfigureAwait(false);
        if (frame.Phase != "version" || frame.Side != _their || Keys.TryOpen(frame.Side, frame.Phase, frame.Body) is not { } version || !IsVersion(version))
            throw new ParcelException(ParcelProblem.WrongCode, "Somebody tried this code and had the words wrong: mistyped, or guessed. The code is spent; send again to get a new one.");
        await SendSealedAsync("version", Version, cancel).ConfigureAwait(false);
    }

    /// <summary>The receiver's half. <paramref name="trySpend"/> is asked before the confirmation goes out, which costs one guess: whether it may.</summary>
    public async Task RunAsReceiverAsync(WormholeCode code, byte[] senderKey, Func<bool> trySpend, CancellationToken cancel)
    {
        using var spake = Start(code, senderKey);
        await SendFrameAsync("pake", Pake(spake), cancel).ConfigureAwait(false);
        using (var time = CancellationTokenSource.CreateLinkedTokenSource(cancel))
        {
            time.CancelAfter(GuessBudget.SilentTime);
            RunFrame first;
            try { first = await ReadFrameAsync(time.Token).ConfigureAwait(false); }
            catch (OperationCanceledException problem) when (!cancel.IsCancellationRequested)
            {
                throw new ParcelException(ParcelProblem.Nobody, "Nobody answered there.", problem);
            }
            Take(first, spake);
        }
        if (!trySpend()) throw new ParcelException(ParcelProblem.Nobody, "Another place goes on with this code, or no guess is left.");
        await SendSealedAsync("version", Version, cancel).ConfigureAwait(false);
        RunFrame frame;
        try { frame = await ReadFrameAsync(cancel).ConfigureAwait(false); }
        catch (ParcelException problem) when (problem.Kind == ParcelProblem.Broken)
        {
            throw new ParcelException(ParcelProblem.WrongCode, "The other side hung up on this code: it was mistyped, or somebody else answers to its number.", problem);
        }
        if (frame.Phase != "version" || frame.Side != _their || Keys.TryOpen(frame.Side, frame.Phase, frame.Body) is not { } version || !IsVersion(version))
            throw new ParcelException(ParcelProblem.WrongCode, "Who answered does not know this code. It was mistyped, or somebody pretends to be the sender.");
    }

    /// <summary>Both meet again: fresh keys, proved by the secret of their first run. The sender waits for the receiver's word.</summary>
    public async Task AgainAsync(RunFrame? first, byte[] secret, CancellationToken cancel)
    {
        var mine = RandomNumberGenerator.GetBytes(X25519.KeyBytes);
        var (public_, shared) = (new byte[X25519.KeyBytes], new byte[X25519.KeyBytes]);
        X25519.PublicKey(mine, public_);
        await SendFrameAsync("again", public_, cancel).ConfigureAwait(false);
        var frame = first ?? await ReadFrameAsync(cancel).ConfigureAwait(false);
        if (frame.Phase != "again" || frame.Side == _side || !X25519.TryAgree(mine, frame.Body, shared)) throw Breach();
        _their = frame.Side;
        var (sender, receiver) = _isSender ? (public_, frame.Body) : (frame.Body, public_);
        await SendFrameAsync("proof", RunKeys.AgainProof(secret, _isSender, sender, receiver), cancel).ConfigureAwait(false);
        var proof = await ReadFrameAsync(cancel).ConfigureAwait(false);
        if (proof.Phase != "proof" || proof.Side != _their || !CryptographicOperations.FixedTimeEquals(proof.Body, RunKeys.AgainProof(secret, !_isSender, sender, receiver)))
            throw new ParcelException(ParcelProblem.Breach, "Who came does not know the secret of the broken transfer.");
        Transit = RunKeys.Again(secret, shared);
        _keys = new WormholeKeys(Transit);
    }

    /// <summary>Sends the next numbered phase, encrypted.</summary>
    public Task SendAsync(ReadOnlyMemory<byte> json, CancellationToken cancel) => SendSealedAsync((_next++).ToString(System.Globalization.CultureInfo.InvariantCulture), json, cancel);

    /// <summary>The other's next numbered phase that is no hint: over a stream there are none that we need.</summary>
    public async Task<byte[]> ReceiveAsync(CancellationToken cancel)
    {
        byte[] json;
        do json = await NextAsync(cancel).ConfigureAwait(false);
        while (json.AsSpan().StartsWith("{\"transit\":"u8));
        return json;
    }

    private async Task<byte[]> NextAsync(CancellationToken cancel)
    {
        var phase = (_heard++).ToString(System.Globalization.CultureInfo.InvariantCulture);
        var frame = await ReadFrameAsync(cancel).ConfigureAwait(false);
        return frame.Phase == phase && frame.Side == _their && Keys.TryOpen(frame.Side, phase, frame.Body) is { } json ? json : throw Breach();
    }

    /// <summary>Reads one message of a run; what is none ends it.</summary>
    public static async Task<RunFrame> ReadFrameAsync(Stream stream, CancellationToken cancel)
    {
        try
        {
            var four = new byte[4];
            await stream.ReadExactlyAsync(four, cancel).ConfigureAwait(false);
            var length = BinaryPrimitives.ReadUInt32BigEndian(four);
            if (length is 0 or > RunFrame.BytesMax) throw Breach();
            var json = new byte[length];
            await stream.ReadExactlyAsync(json, cancel).ConfigureAwait(false);
            return RunFrame.TryRead(json) ?? throw Breach();
        }
        catch (IOException problem) { throw new ParcelException(ParcelProblem.Broken, "The connection ended.", problem); }
    }

    private static byte[] Version => """{"app_versions":{"polder-send":{"v":[1],"leaf":65536}}}"""u8.ToArray();

    private static ParcelException Breach() => new(ParcelProblem.Breach, "The other side does not keep to the protocol.");

    private static bool IsVersion(byte[] json)
    {
        try
        {
            using var document = System.Text.Json.JsonDocument.Parse(json);
            return document.RootElement.ValueKind == System.Text.Json.JsonValueKind.Object;
        }
        catch (System.Text.Json.JsonException) { return false; }
    }

    private static Spake2 Start(WormholeCode code, byte[] key) =>
        Spake2.Start(code.Password, Encoding.ASCII.GetBytes(RunKeys.Identity(key)), RandomNumberGenerator.GetBytes(Spake2.EntropyBytes));

    private static byte[] Pake(Spake2 spake) => Encoding.ASCII.GetBytes($$"""{"pake_v1":"{{Convert.ToHexStringLower(spake.Message.Span)}}"}""");

    private void Take(RunFrame frame, Spake2 spake)
    {
        if (frame.Phase != "pake" || frame.Side == _side) throw Breach();
        byte[]? message = null;
        try
        {
            using var document = System.Text.Json.JsonDocument.Parse(frame.Body);
            if (document.RootElement.TryGetProperty("pake_v1", out var hex) && hex.GetString() is { Length: 2 * Spake2.MessageBytes } text) message = Convert.FromHexString(text);
        }
        catch (Exception problem) when (problem is System.Text.Json.JsonException or InvalidOperationException or FormatException) { }
        if (message is null || spake.Finish(message) is not { } key) throw Breach();
        _their = frame.Side;
        _keys = new WormholeKeys(key);
        Transit = _keys.TransitKey;
    }

    private Task SendSealedAsync(string phase, ReadOnlyMemory<byte> text, CancellationToken cancel) =>
        SendFrameAsync(phase, Keys.Seal(_side, phase, RandomNumberGenerator.GetBytes(SecretBox.NonceBytes), text.Span), cancel);

    private async Task SendFrameAsync(string phase, byte[] body, CancellationToken cancel)
    {
        var json = new RunFrame(_side, phase, body).Write();
        var bytes = new byte[4 + json.Length];
        BinaryPrimitives.WriteInt32BigEndian(bytes, json.Length);
        json.CopyTo(bytes, 4);
        try { await _stream.WriteAsync(bytes, cancel).ConfigureAwait(false); }
        catch (IOException problem) { throw new ParcelException(ParcelProblem.Broken, "The connection ended.", problem); }
    }

    private Task<RunFrame> ReadFrameAsync(CancellationToken cancel) => ReadFrameAsync(_stream, cancel);
}
