using System.Net.Sockets;
using Polder.Apps.Parcels;
using Polder.Apps.Parcels.Transit;

namespace Polder.Node.Parcels;

/// <summary>A connection on which both sides have agreed: encrypted records in both directions.</summary>
/// <param name="socket">The connection; owned from now on.</param>
/// <param name="sendKey">Key of what we write.</param>
/// <param name="receiveKey">Key of what the other side writes.</param>
/// <param name="way">By which way, for people: "direct", "relay HOST:PORT".</param>
internal sealed class TransitLink(Socket socket, byte[] sendKey, byte[] receiveKey, string way) : IDisposable
{
    /// <summary>Nothing for so long is an error.</summary>
    public static readonly TimeSpan SilenceMax = TimeSpan.FromSeconds(60);

    private byte[] _received = new byte[256 << 10];
    private int _start, _end;
    private ulong _sent, _opened;

    public string Way => way;

    /// <summary>Seals a text as the next record into <paramref name="record"/>, which is 44 bytes longer.</summary>
    public void Seal(ReadOnlySpan<byte> plaintext, Span<byte> record) => TransitRecords.Seal(sendKey, _sent++, plaintext, record);

    /// <summary>Sends sealed records.</summary>
    public async Task SendSealedAsync(ReadOnlyMemory<byte> records, CancellationToken cancellation)
    {
        try
        {
            while (!records.IsEmpty)
            {
                var sending = socket.SendAsync(records, SocketFlags.None, cancellation);
                var count = sending.IsCompletedSuccessfully ? sending.Result : await sending.AsTask().WaitAsync(SilenceMax, cancellation).ConfigureAwait(false);
                records = records[count..];
            }
        }
        catch (SocketException) { throw Broken(); }
        catch (TimeoutException) { throw new ParcelEndedException(ParcelResult.LineBroken, "The other side has taken nothing for a minute."); }
    }

    /// <summary>Sends one record.</summary>
    public Task SendAsync(ReadOnlySpan<byte> plaintext, CancellationToken cancellation)
    {
        var record = new byte[plaintext.Length + TransitRecords.OverheadBytes];
        Seal(plaintext, record);
        return SendSealedAsync(record, cancellation);
    }

    /// <summary>The next record's text, good until the next call; null when the other side closed between records.</summary>
    /// <param name="silenceMax">How long to wait.</param>
    /// <param name="cancellation">Gives up.</param>
    public async ValueTask<ReadOnlyMemory<byte>?> ReceiveAsync(TimeSpan silenceMax, CancellationToken cancellation)
    {
        while (true)
        {
            var length = TransitRecords.Length(_received.AsSpan(_start, _end - _start));
            if (length < 0) throw new ParcelEndedException(ParcelResult.PeerFailed, "The other side sent a record of an absurd length.");
            if (length > 0 && _end - _start >= length)
            {
                var record = _received.AsMemory(_start, length);
                // The text takes the place of its own ciphertext.
                var plaintext = record[TransitRecords.OverheadBytes..];
                if (!TransitRecords.TryOpen(receiveKey, _opened++, record.Span, plaintext.Span))
                    throw new ParcelEndedException(ParcelResult.PeerFailed, "A record was changed on its way, or came out of turn.");
                _start += length;
                return plaintext;
            }
            MakeRoom(length);
            int count;
            try
            {
                var receiving = socket.ReceiveAsync(_received.AsMemory(_end), SocketFlags.None, cancellation);
                count = receiving.IsCompletedSuccessfully ? receiving.Result : await receiving.AsTask().WaitAsync(silenceMax, cancellation).ConfigureAwait(false);
            }
            catch (SocketException) { throw Broken(); }
            catch (TimeoutException) { throw new ParcelEndedException(ParcelResult.LineBroken, $"The other side has sent nothing for {silenceMax.TotalSeconds:0} seconds."); }
            if (count == 0) return _end == _start ? null : throw Broken();
            _end += count;
        }
    }

    /// <inheritdoc cref="ReceiveAsync(TimeSpan, CancellationToken)"/>
    public ValueTask<ReadOnlyMemory<byte>?> ReceiveAsync(CancellationToken cancellation) => ReceiveAsync(SilenceMax, cancellation);

    /// <summary>The connection itself, for another reader of records: before the first was sent or received. The link is of no use afterwards.</summary>
    public NetworkStream TakeStream() => _sent == 0 && _end == 0 ? new NetworkStream(socket, ownsSocket: true) : throw new InvalidOperationException("Records have gone over it.");

    public void Dispose() => socket.Dispose();

    private void MakeRoom(int recordLength)
    {
        if (_start == _end) (_start, _end) = (0, 0);
        if (_start > 0 && (_received.Length - _end < 64 << 10 || _start + recordLength > _received.Length))
        {
            _received.AsSpan(_start, _end - _start).CopyTo(_received);
            (_start, _end) = (0, _end - _start);
        }
        // The length was checked: at most a mebibyte.
        if (recordLength > _received.Length) Array.Resize(ref _received, recordLength);
    }

    private static ParcelEndedException Broken() => new(ParcelResult.LineBroken, "The connection broke before everything had come.");
}
