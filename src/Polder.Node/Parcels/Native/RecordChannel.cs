using System.Buffers.Binary;
using System.Security.Cryptography;
using Polder.Apps.Parcels.Native;
using Polder.Cryptography;

namespace Polder.Node.Parcels.Native;

/// <summary>
/// Encrypted records over a connection, as Magic Wormhole's transit has them. While one record is being written, the next is sealed. One reader at a
/// time; any number of writers.
/// </summary>
/// <remarks><code>
/// record   length(4, big-endian) ‖ nonce(24, big-endian counter from 0) ‖ tag(16) ‖ ciphertext          length counts from the nonce
/// </code></remarks>
internal sealed class RecordChannel : IAsyncDisposable
{
    /// <summary>Bytes of a record's text at most: more is refused before anything is allocated.</summary>
    public const int TextBytesMax = 1 << 20;

    private const int HeaderBytes = 4, OverheadBytes = SecretBox.NonceBytes + SecretBox.TagBytes;
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(60);

    private readonly Stream _stream;
    private readonly byte[] _sendKey, _receiveKey;
    private readonly SemaphoreSlim _sending = new(1);
    private readonly byte[][] _out = [[], []];
    private byte[] _in = new byte[256 * 1024];
    private byte[] _text = [];
    private int _from, _to, _turn;
    private ulong _sent, _received;
    private Task _write = Task.CompletedTask;

    /// <summary>Takes over the connection, after its lines.</summary>
    public RecordChannel(Stream stream, Hash256 transitKey, bool isSender)
    {
        _stream = stream;
        var (sender, receiver) = (RunKeys.OfTransit(transitKey, "transit_record_sender_key"), RunKeys.OfTransit(transitKey, "transit_record_receiver_key"));
        (_sendKey, _receiveKey) = isSender ? (sender, receiver) : (receiver, sender);
    }

    /// <summary>Bytes that went out, records and all.</summary>
    public long BytesSent { get; private set; }

    /// <summary>
    /// Both sides write their lines on a connection that carries nothing else, and the sender says go. Fails when the other is not who knows the key.
    /// </summary>
    public static async Task<RecordChannel> BeginAsync(Stream stream, Hash256 transitKey, bool isSender, CancellationToken cancel)
    {
        var senderLine = System.Text.Encoding.ASCII.GetBytes($"transit sender {Convert.ToHexStringLower(RunKeys.OfTransit(transitKey, "transit_sender"))} ready\n\n");
        var receiverLine = System.Text.Encoding.ASCII.GetBytes($"transit receiver {Convert.ToHexStringLower(RunKeys.OfTransit(transitKey, "transit_receiver"))} ready\n\n");
        var (ours, theirs) = isSender ? (senderLine, receiverLine) : (receiverLine, senderLine);
        try
        {
            await stream.WriteAsync(ours, cancel).ConfigureAwait(false);
            await ExpectAsync(theirs).ConfigureAwait(false);
            if (isSender) await stream.WriteAsync("go\n"u8.ToArray(), cancel).ConfigureAwait(false);
            else await ExpectAsync("go\n"u8.ToArray()).ConfigureAwait(false);
        }
        catch (IOException problem) { throw new ParcelException(ParcelProblem.Broken, "The connection ended before the transfer began.", problem); }
        return new RecordChannel(stream, transitKey, isSender);

        async Task ExpectAsync(byte[] line)
        {
            var got = new byte[line.Length];
            await stream.ReadExactlyAsync(got, cancel).ConfigureAwait(false);
            if (!CryptographicOperations.FixedTimeEquals(got, line)) throw new ParcelException(ParcelProblem.Breach, "Somebody else is at the other end of the connection.");
        }
    }

    /// <summary>Seals and sends. The record may still be on its way out when this is done; the bytes are free.</summary>
    public async ValueTask SendAsync(ReadOnlyMemory<byte> text, CancellationToken cancel)
    {
        await _sending.WaitAsync(cancel).ConfigureAwait(false);
        try
        {
            var bytes = HeaderBytes + OverheadBytes + text.Length;
            _turn ^= 1;
            // This buffer was written out before the last record began: its write was awaited then.
            if (_out[_turn].Length < bytes) _out[_turn] = GC.AllocateUninitializedArray<byte>(Math.Max(bytes, 1024));
            Seal(text.Span, _out[_turn].AsSpan(0, bytes));
            await _write.ConfigureAwait(false);
            _write = _stream.WriteAsync(_out[_turn].AsMemory(0, bytes), cancel).AsTask();
            BytesSent += bytes;
        }
        catch (IOException problem) { throw Broken(problem); }
        finally { _sending.Release(); }
    }

    /// <summary>Everything that was sent has gone out.</summary>
    public async Task FlushAsync(CancellationToken cancel)
    {
        await _sending.WaitAsync(cancel).ConfigureAwait(false);
        try
        {
            await _write.ConfigureAwait(false);
            await _stream.FlushAsync(cancel).ConfigureAwait(false);
        }
        catch (IOException problem) { throw Broken(problem); }
        finally { _sending.Release(); }
    }

    /// <summary>The next record's text, which holds until the next call. Throws <see cref="ParcelProblem.Broken"/> at the end, or after 60 s of silence unless told to wait.</summary>
    public async ValueTask<ReadOnlyMemory<byte>> ReceiveAsync(CancellationToken cancel, bool patient = false)
    {
        try
        {
            await FillAsync(HeaderBytes, patient, cancel).ConfigureAwait(false);
            var length = BinaryPrimitives.ReadUInt32BigEndian(_in.AsSpan(_from));
            if (length is < OverheadBytes or > TextBytesMax + OverheadBytes) throw new ParcelException(ParcelProblem.Breach, $"The other side sent a record of an impossible size ({length} bytes).");
            await FillAsync(HeaderBytes + (int)length, patient, cancel).ConfigureAwait(false);
            var text = Open(_in.AsSpan(_from + HeaderBytes, (int)length));
            _from += HeaderBytes + (int)length;
            return text;
        }
        catch (IOException problem) { throw Broken(problem); }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await _stream.DisposeAsync().ConfigureAwait(false);

    private static ParcelException Broken(Exception problem) => new(ParcelProblem.Broken, "The connection broke.", problem);

    private async ValueTask FillAsync(int bytes, bool patient, CancellationToken cancel)
    {
        if (_to - _from >= bytes) return;
        if (_in.Length - _from < bytes)
        {
            var larger = _in.Length < bytes ? GC.AllocateUninitializedArray<byte>(bytes + 128 * 1024) : _in;
            _in.AsSpan(_from, _to - _from).CopyTo(larger);
            (_in, _from, _to) = (larger, 0, _to - _from);
        }
        using var time = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        while (_to - _from < bytes)
        {
            if (!patient) time.CancelAfter(Silence);
            int count;
            try { count = await _stream.ReadAsync(_in.AsMemory(_to), time.Token).ConfigureAwait(false); }
            catch (OperationCanceledException problem) when (!cancel.IsCancellationRequested)
            {
                throw new ParcelException(ParcelProblem.Broken, "Nothing came for 60 seconds.", problem);
            }
            if (count == 0) throw new ParcelException(ParcelProblem.Broken, "The other side closed the connection.");
            _to += count;
        }
    }

    private void Seal(ReadOnlySpan<byte> text, Span<byte> record)
    {
        BinaryPrimitives.WriteInt32BigEndian(record, record.Length - HeaderBytes);
        var nonce = record.Slice(HeaderBytes, SecretBox.NonceBytes);
        nonce.Clear();
        BinaryPrimitives.WriteUInt64BigEndian(nonce[16..], _sent++);
        SecretBox.Seal(_sendKey, nonce, text, record[(HeaderBytes + SecretBox.NonceBytes)..]);
    }

    private ReadOnlyMemory<byte> Open(ReadOnlySpan<byte> record)
    {
        Span<byte> nonce = stackalloc byte[SecretBox.NonceBytes];
        nonce.Clear();
        BinaryPrimitives.WriteUInt64BigEndian(nonce[16..], _received++);
        var length = record.Length - OverheadBytes;
        if (_text.Length < length) _text = GC.AllocateUninitializedArray<byte>(Math.Max(length, 128 * 1024));
        if (!record[..SecretBox.NonceBytes].SequenceEqual(nonce) || !SecretBox.TryOpen(_receiveKey, nonce, record[SecretBox.NonceBytes..], _text.AsSpan(0, length)))
            throw new ParcelException(ParcelProblem.Breach, "A record was changed on its way, or came out of its turn.");
        return _text.AsMemory(0, length);
    }
}
