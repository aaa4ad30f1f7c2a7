using System.Security.Cryptography;
using Polder.Apps.Chat;
using Polder.Cryptography;

namespace Polder.Node.Operations;

/// <summary>A file as it is sealed for its receivers: read-only, can seek, the same bytes each time it is read. Never more than a part of it in memory.</summary>
internal sealed class SealingStream : Stream
{
    private const int LeafBytes = AttachmentCipher.PartBytes + AttachmentCipher.TagBytes;
    private readonly Stream _file;
    private readonly AesGcm _cipher;
    private readonly byte[] _part = new byte[AttachmentCipher.PartBytes], _leaf = new byte[LeafBytes];
    private long _loaded = -1;
    private int _length;

    public SealingStream(Stream file, Hash256 key) => (_file, FileBytes, _cipher) = (file, file.Length, AttachmentCipher.Cipher(key));

    /// <summary>Bytes of the file when it was opened.</summary>
    public long FileBytes { get; }

    public override bool CanRead => true;
    public override bool CanSeek => true;
    public override bool CanWrite => false;
    public override long Length => AttachmentCipher.SealedBytes(FileBytes);
    public override long Position { get; set; }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (Position >= Length || buffer.Length == 0) return 0;
        var number = Position / LeafBytes;
        if (number != _loaded)
        {
            var size = (int)Math.Min(AttachmentCipher.PartBytes, FileBytes - number * AttachmentCipher.PartBytes);
            _file.Position = number * AttachmentCipher.PartBytes;
            await _file.ReadExactlyAsync(_part.AsMemory(0, size), cancellationToken).ConfigureAwait(false);
            AttachmentCipher.Seal(_cipher, FileBytes, number, _part.AsSpan(0, size), _leaf.AsSpan(0, size + AttachmentCipher.TagBytes));
            (_loaded, _length) = (number, size + AttachmentCipher.TagBytes);
        }
        var offset = (int)(Position % LeafBytes);
        var count = Math.Min(buffer.Length, _length - offset);
        _leaf.AsMemory(offset, count).CopyTo(buffer);
        Position += count;
        return count;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();
    public override int Read(byte[] buffer, int offset, int count) => ReadAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();
    public override long Seek(long offset, SeekOrigin origin) => Position = origin switch { SeekOrigin.Begin => offset, SeekOrigin.Current => Position + offset, _ => Length + offset };
    public override void Flush() { }
    public override void SetLength(long value) => throw new NotSupportedException();
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _cipher.Dispose();
            _file.Dispose();
        }
        base.Dispose(disposing);
    }
}
