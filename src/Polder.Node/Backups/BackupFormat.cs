using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Polder.Node.Backups;

/// <summary>The form of a backup: one file, readable front to back, with a digest at its end.</summary>
/// <remarks><code>
/// offset  size  field
///      0    16  ASCII "POLDER BACKUP 1\n"
/// then sections:
///      0     1  kind (<see cref="BackupSection"/>)
///      1     4  length n, big-endian
///      5     n  content
/// the last is kind 255: SHA-256 of everything before it
/// </code></remarks>
internal static class BackupFormat
{
    public const int SectionBytesMax = 1 << 20;
    public const int HeaderBytes = 5;
    public static ReadOnlySpan<byte> Magic => "POLDER BACKUP 1\n"u8;
}

/// <summary>What a section of a backup holds.</summary>
internal enum BackupSection : byte
{
    /// <summary>The owner's public key, 74 bytes; then when it was made, milliseconds since 1970 (8).</summary>
    Owner = 1,
    /// <summary>A key file, plain or sealed (<see cref="Folders.KeyFile"/>).</summary>
    Key = 2,
    /// <summary>A packed block.</summary>
    Block = 3,
    /// <summary>A proof of fraud: kind (1), length of the first block (4), both blocks.</summary>
    Fraud = 4,
    /// <summary>The hash of a proposal that was refused, 32 bytes.</summary>
    Refusal = 5,
    /// <summary>SHA-256 of everything before.</summary>
    End = 255,
}

internal sealed class BackupWriter : IDisposable
{
    private readonly Stream _stream;
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    public BackupWriter(Stream stream)
    {
        _stream = stream;
        Put(BackupFormat.Magic);
    }

    public void Write(BackupSection kind, ReadOnlySpan<byte> content)
    {
        Span<byte> header = stackalloc byte[BackupFormat.HeaderBytes];
        header[0] = (byte)kind;
        BinaryPrimitives.WriteInt32BigEndian(header[1..], content.Length);
        Put(header);
        Put(content);
    }

    public void End() => Write(BackupSection.End, _hash.GetCurrentHash());

    public void Dispose() => _hash.Dispose();

    private void Put(ReadOnlySpan<byte> bytes)
    {
        _hash.AppendData(bytes);
        _stream.Write(bytes);
    }
}

internal sealed class BackupReader : IDisposable
{
    private readonly Stream _stream;
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private byte[] _buffer = new byte[4096];

    /// <exception cref="InvalidDataException">It is no backup.</exception>
    public BackupReader(Stream stream)
    {
        _stream = stream;
        Span<byte> magic = stackalloc byte[BackupFormat.Magic.Length];
        if (_stream.ReadAtLeast(magic, magic.Length, throwOnEndOfStream: false) < magic.Length || !magic.SequenceEqual(BackupFormat.Magic))
            throw new InvalidDataException("it is no backup of Polder");
        _hash.AppendData(magic);
    }

    /// <summary>The next section, valid until the one after; null after the last, whose digest was right.</summary>
    /// <exception cref="InvalidDataException">Cut off or changed.</exception>
    public (BackupSection Kind, ReadOnlyMemory<byte> Content)? Next()
    {
        Span<byte> header = stackalloc byte[BackupFormat.HeaderBytes];
        if (_stream.ReadAtLeast(header, header.Length, throwOnEndOfStream: false) < header.Length) throw new InvalidDataException("it is cut off");
        var length = BinaryPrimitives.ReadInt32BigEndian(header[1..]);
        if (length is < 0 or > BackupFormat.SectionBytesMax) throw new InvalidDataException("it is damaged");
        if (_buffer.Length < length) _buffer = new byte[length];
        var content = _buffer.AsMemory(0, length);
        if (_stream.ReadAtLeast(content.Span, length, throwOnEndOfStream: false) < length) throw new InvalidDataException("it is cut off");
        var kind = (BackupSection)header[0];
        if (kind == BackupSection.End)
        {
            if (!content.Span.SequenceEqual(_hash.GetCurrentHash())) throw new InvalidDataException("it was changed after it was made, or is damaged");
            return null;
        }
        _hash.AppendData(header);
        _hash.AppendData(content.Span);
        return (kind, content);
    }

    public void Dispose() => _hash.Dispose();
}
