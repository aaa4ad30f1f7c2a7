using System.Security.Cryptography;
using Polder.Apps.Parcels.Transit;
using Polder.Cryptography;

namespace Polder.Node.Parcels.Native.Transfer;

/// <summary>
/// Encrypted records over a connection, as Magic Wormhole's transit has them. While one record is being written, the next is sealed. One reader at a
/// time; any number of writers.
/// </summary>
internal sealed class RecordChannel : IAsyncDisposable
{
    private const int HeaderBytes = 4;
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(60);

    private readonly Stream _stream;
    private readonly byte[] _sendKey, _receiveKey;
    private readonly SemaphoreSlim _sending = new(1);
    private readonly byte[][] _out = [[], []];
    private byte[] _in = new byte[256 * 1024];
    private byte[] _text = [];
    private int _from, _to, _turn;
    private ulong _sent, _received;
    private readonly Task[] _writes = [Task.CompletedTask, Task.CompletedTask];

    /// <summary>Takes over the connection, after its lines.</summary>
    public RecordChannel(Stream stream, Hash256 transitKey, bool isSender)
    {
        _stream = stream;
        var keys = new TransitKeys(transitKey);
        (_sendKey, _receiveKey) = isSender ? (keys.SenderKey, keys.ReceiverKey) : (keys.ReceiverKey, keys.SenderKey);
    }

    /// <summary>Bytes that went out, records and all.</summary>
    public long BytesSent { get; private set; }

    /// <summary>
    /// Both sides write their lines on a connection that carries nothing else, and the sender says go. Fails when the other is not who knows the key.
    /// </summary>
    public static async Task<RecordChannel> BeginAsync(Stream stream, Hash256 transitKey, bool isSender, CancellationToken cancel)
    {
        var keys = new TransitKeys(transitKey);
        var (ours, theirs) = isSender ? (keys.SenderLine, keys.ReceiverLine) : (keys.ReceiverLine, keys.SenderLine);
        try
        {
            await stream.WriteAsync(ours, cancel).ConfigureAwait(false);
            await ExpectAsync(theirs).ConfigureAwait(false);
            if (isSender) await stream.WriteAsync(TransitKeys.Go.ToArray(), cancel).ConfigureAwait(false);
            else await ExpectAsync(TransitKeys.Go.ToArray()).ConfigureAwait(false);
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

    /// <summary>Seals and sends. The record may still be on its way out when this is done; the bytes are free. A cancelled one was not sealed.</summary>
    public async ValueTask SendAsync(ReadOnlyMemory<byte> text, CancellationToken cancel)
    {
        await _sending.WaitAsync(cancel).ConfigureAwait(false);
        try
        {
            var turn = _turn ^ 1;
            // This buffer is free again once the record before the last is out.
            await _writes[turn].WaitAsync(cancel).ConfigureAwait(false);
            _turn = turn;
            var bytes = TransitRecords.OverheadBytes + text.Length;
            if (_out[turn].Length < bytes) _out[turn] = GC.AllocateUninitializedArray<byte>(Math.Max(bytes, 1024));
            TransitRecords.Seal(_sendKey, _sent++, text.Span, _out[turn].AsSpan(0, bytes));
            _writes[turn] = WriteAfterAsync(_writes[turn ^ 1], _out[turn].AsMemory(0, bytes));
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
            await _writes[_turn].WaitAsync(cancel).ConfigureAwait(false);
            await _stream.FlushAsync(cancel).ConfigureAwait(false);
        }
        catch (IOException problem) { throw Broken(problem); }
        finally { _sending.Release(); }
    }

    // Half a record on the line would spoil all that follow: a write is never cancelled, it ends with the connection.
    private async Task WriteAfterAsync(Task before, ReadOnlyMemory<byte> record)
    {
        await before.ConfigureAwait(false);
        await _stream.WriteAsync(record, CancellationToken.None).ConfigureAwait(false);
    }

    /// <summary>The next record's text, which holds until the next call. Throws <see cref="ParcelProblem.Broken"/> at the end, or after 60 s of silence unless told to wait.</summary>
    public async ValueTask<ReadOnlyMemory<byte>> ReceiveAsync(CancellationToken cancel, bool patient = false)
    {
        try
        {
            await FillAsync(HeaderBytes, patient, cancel).ConfigureAwait(false);
            // Refused before anything is kept for it.
            var length = TransitRecords.Length(_in.AsSpan(_from, HeaderBytes));
            if (length < 0) throw new ParcelException(ParcelProblem.Breach, "The other side sent a record of an impossible size.");
            await FillAsync(length, patient, cancel).ConfigureAwait(false);
            var text = Open(_in.AsSpan(_from, length));
            _from += length;
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

    private ReadOnlyMemory<byte> Open(ReadOnlySpan<byte> record)
    {
        var length = record.Length - TransitRecords.OverheadBytes;
        if (_text.Length < length) _text = GC.AllocateUninitializedArray<byte>(Math.Max(length, 128 * 1024));
        if (!TransitRecords.TryOpen(_receiveKey, _received++, record, _text.AsSpan(0, length)))
            throw new ParcelException(ParcelProblem.Breach, "A record was changed on its way, or came out of its turn.");
        return _text.AsMemory(0, length);
    }
}
