using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;
using Polder.Apps.Parcels;
using Polder.Apps.Parcels.Transit;

namespace Polder.Node.Parcels;

/// <summary>Sends bytes as records at full speed: while one half of its buffers is on the way, the other is read, hashed and sealed.</summary>
internal sealed class RecordPump(TransitLink link, IParcelProgress human, long totalBytes) : IDisposable
{
    /// <summary>Bytes of a record. Boundaries mean nothing to the other side, which reads any size up to a mebibyte.</summary>
    private const int RecordBytes = 64 << 10;
    private const int Records = 4;
    private const int SealedBytes = Records * (RecordBytes + TransitRecords.OverheadBytes);

    private readonly byte[] _plain = GC.AllocateUninitializedArray<byte>(Records * RecordBytes);
    private readonly byte[][] _sealed = [GC.AllocateUninitializedArray<byte>(SealedBytes), GC.AllocateUninitializedArray<byte>(SealedBytes)];
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private Task _sending = Task.CompletedTask;
    private int _filled, _half;
    private long _done;

    /// <summary>Sends some bytes.</summary>
    public async Task AddAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellation)
    {
        while (!bytes.IsEmpty)
        {
            var count = Math.Min(bytes.Length, _plain.Length - _filled);
            bytes[..count].CopyTo(_plain.AsMemory(_filled));
            _filled += count;
            bytes = bytes[count..];
            if (_filled == _plain.Length) await FlushAsync(cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>Sends a file of which <paramref name="length"/> bytes were promised; <paramref name="seen"/> gets to see every piece.</summary>
    public async Task AddFileAsync(SafeFileHandle file, string path, long length, Action<ReadOnlyMemory<byte>>? seen, CancellationToken cancellation)
    {
        for (long offset = 0; offset < length;)
        {
            var wanted = (int)Math.Min(_plain.Length - _filled, length - offset);
            var count = RandomAccess.Read(file, _plain.AsSpan(_filled, wanted), offset);
            if (count == 0) throw new ParcelEndedException(ParcelResult.LocalProblem, $"{path} became shorter while it was sent.");
            seen?.Invoke(_plain.AsMemory(_filled, count));
            _filled += count;
            offset += count;
            if (_filled == _plain.Length) await FlushAsync(cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>Sends what is left and gives the SHA-256 of everything, in hex.</summary>
    public async Task<string> FinishAsync(CancellationToken cancellation)
    {
        await FlushAsync(cancellation).ConfigureAwait(false);
        await _sending.ConfigureAwait(false);
        return Convert.ToHexStringLower(_hash.GetHashAndReset());
    }

    public void Dispose() => _hash.Dispose();

    private async Task FlushAsync(CancellationToken cancellation)
    {
        if (_filled == 0) return;
        var target = _sealed[_half];
        _half ^= 1;
        var length = Seal(target);
        await _sending.ConfigureAwait(false);
        _sending = link.SendSealedAsync(target.AsMemory(0, length), cancellation);
        _done += _filled;
        _filled = 0;
        human.Report(new ParcelProgress(ParcelStage.Moving, _done, totalBytes, link.Way));
    }

    private int Seal(byte[] target)
    {
        var length = 0;
        for (var offset = 0; offset < _filled; offset += RecordBytes)
        {
            var piece = _plain.AsSpan(offset, Math.Min(RecordBytes, _filled - offset));
            _hash.AppendData(piece);
            link.Seal(piece, target.AsSpan(length, piece.Length + TransitRecords.OverheadBytes));
            length += piece.Length + TransitRecords.OverheadBytes;
        }
        return length;
    }
}
