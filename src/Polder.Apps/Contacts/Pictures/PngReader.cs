using System.Buffers.Binary;
using System.IO.Compression;

namespace Polder.Apps.Contacts.Pictures;

/// <summary>Why a file gives no picture.</summary>
public enum PictureProblem
{
    /// <summary>It does.</summary>
    None,
    /// <summary>It is no PNG file.</summary>
    NotPng,
    /// <summary>A part is missing, or its checksum is wrong.</summary>
    Damaged,
    /// <summary>It has more pixels or bytes than are read.</summary>
    TooLarge,
    /// <summary>It is interlaced, which is not read.</summary>
    Interlaced,
}

/// <summary>
/// Reads PNG files (W3C PNG, second edition) as shades of grey: every colour type and depth, transparent on white, not interlaced. Strangers' files are read,
/// so sizes are checked before anything is allocated, and no more is unpacked than the picture has.
/// </summary>
public static class PngReader
{
    /// <summary>Bytes of a file at most.</summary>
    public const int FileBytesMax = 16 << 20;
    /// <summary>Pixels at most: a photograph of 16 million.</summary>
    public const int PixelsMax = 1 << 24;
    /// <summary>Pixels of a side at most.</summary>
    public const int SideMax = 16_384;

    private const byte Grey = 0, Colour = 2, Palette = 3, GreyAlpha = 4, ColourAlpha = 6;
    private const uint Header = 0x49484452, PaletteChunk = 0x504C5445, Transparency = 0x74524E53, Data = 0x49444154, End = 0x49454E44;

    private static readonly uint[] Crc = MakeCrc();

    private static ReadOnlySpan<byte> Signature => [0x89, (byte)'P', (byte)'N', (byte)'G', 13, 10, 26, 10];

    /// <summary>Whether the file begins as PNG files do.</summary>
    public static bool IsPng(ReadOnlySpan<byte> file) => file.StartsWith(Signature);

    /// <summary>Reads a file; null, and the reason, when it gives no picture.</summary>
    /// <param name="file">The whole file.</param>
    /// <param name="problem">Why not.</param>
    /// <param name="pixelsMax">Pixels at most.</param>
    public static GreyPicture? TryRead(ReadOnlyMemory<byte> file, out PictureProblem problem, int pixelsMax = PixelsMax)
    {
        problem = PictureProblem.NotPng;
        if (!IsPng(file.Span)) return null;
        problem = PictureProblem.TooLarge;
        if (file.Length > FileBytesMax) return null;
        problem = PictureProblem.Damaged;
        if (TryCutChunks(file) is not { } chunks) return null;
        var (width, height, depth, type) = chunks.Head;
        if (width == 0 || height == 0 || width > int.MaxValue || height > int.MaxValue || !IsDepthOf(type, depth)) return null;
        if (width > SideMax || height > SideMax || (ulong)width * height > (ulong)pixelsMax)
        {
            problem = PictureProblem.TooLarge;
            return null;
        }
        if (chunks.Interlaced)
        {
            problem = PictureProblem.Interlaced;
            return null;
        }
        if (type == Palette && chunks.Palette.Length == 0) return null;
        var picture = Unpack(chunks, (int)width, (int)height, depth, type);
        if (picture is not null) problem = PictureProblem.None;
        return picture;
    }

    private sealed class Chunks
    {
        public (uint Width, uint Height, byte Depth, byte Type) Head;
        public bool Interlaced;
        public byte[] Palette = [];
        public byte[] Clear = [];
        public List<ReadOnlyMemory<byte>> Data { get; } = [];
    }

    /// <summary>Chunk: length 4, type 4, content, CRC-32 of type and content 4.</summary>
    private static Chunks? TryCutChunks(ReadOnlyMemory<byte> file)
    {
        var (chunks, at, seenHead) = (new Chunks(), Signature.Length, false);
        while (file.Length - at >= 12)
        {
            var bytes = file.Span[at..];
            var length = BinaryPrimitives.ReadUInt32BigEndian(bytes);
            if (length > bytes.Length - 12) return null;
            var type = BinaryPrimitives.ReadUInt32BigEndian(bytes[4..]);
            var content = bytes.Slice(8, (int)length);
            if (CrcOf(bytes.Slice(4, (int)length + 4)) != BinaryPrimitives.ReadUInt32BigEndian(bytes[(8 + (int)length)..])) return null;
            if (!seenHead && type != Header) return null;
            switch (type)
            {
                case Header:
                    // Compression 0, filter 0, interlace 0 or 1: there are no others.
                    if (seenHead || length != 13 || content[10] != 0 || content[11] != 0 || content[12] > 1) return null;
                    seenHead = true;
                    chunks.Head = (BinaryPrimitives.ReadUInt32BigEndian(content), BinaryPrimitives.ReadUInt32BigEndian(content[4..]), content[8], content[9]);
                    chunks.Interlaced = content[12] == 1;
                    break;
                case PaletteChunk:
                    if (length is 0 or > 768 || length % 3 != 0) return null;
                    chunks.Palette = content.ToArray();
                    break;
                case Transparency:
                    if (length > 256) return null;
                    chunks.Clear = content.ToArray();
                    break;
                case Data:
                    if (length > 0) chunks.Data.Add(file.Slice(at + 8, (int)length));
                    break;
                case End:
                    return chunks.Data.Count > 0 ? chunks : null;
            }
            at += 12 + (int)length;
        }
        return null;
    }

    private static GreyPicture? Unpack(Chunks chunks, int width, int height, int depth, byte type)
    {
        var samples = type switch { Colour => 3, GreyAlpha => 2, ColourAlpha => 4, _ => 1 };
        var (rowBytes, pixelBytes) = ((width * samples * depth + 7) / 8, Math.Max(1, samples * depth / 8));
        var greys = type == Palette ? PaletteGreys(chunks) : null;
        var (row, before) = (new byte[rowBytes], new byte[rowBytes]);
        try
        {
            using var packed = new ChunkStream(chunks.Data);
            using var stream = new ZLibStream(packed, CompressionMode.Decompress);
            // The first row proves that there is something, before room for all is taken.
            byte[]? pixels = null;
            Span<byte> filter = stackalloc byte[1];
            for (var y = 0; y < height; y++)
            {
                stream.ReadExactly(filter);
                stream.ReadExactly(row);
                if (!Unfilter(filter[0], row, before, pixelBytes)) return null;
                pixels ??= new byte[width * height];
                Shade(row, pixels.AsSpan(y * width, width), depth, type, samples, greys, chunks.Clear);
                (row, before) = (before, row);
            }
            return new GreyPicture(width, height, pixels!);
        }
        catch (Exception bad) when (bad is InvalidDataException or EndOfStreamException) { return null; }
    }

    private static bool Unfilter(byte filter, Span<byte> row, ReadOnlySpan<byte> above, int pixelBytes)
    {
        for (var i = 0; i < row.Length && filter != 0; i++)
        {
            int left = i >= pixelBytes ? row[i - pixelBytes] : 0, up = above[i], corner = i >= pixelBytes ? above[i - pixelBytes] : 0;
            var guess = filter switch { 1 => left, 2 => up, 3 => (left + up) / 2, 4 => Paeth(left, up, corner), _ => -1 };
            if (guess < 0) return false;
            row[i] = (byte)((row[i] + guess) & 0xFF);
        }
        return filter <= 4;
    }

    private static int Paeth(int left, int up, int corner)
    {
        var guess = left + up - corner;
        var (a, b, c) = (Math.Abs(guess - left), Math.Abs(guess - up), Math.Abs(guess - corner));
        return a <= b && a <= c ? left : b <= c ? up : corner;
    }

    private static void Shade(ReadOnlySpan<byte> row, Span<byte> greys, int depth, byte type, int samples, byte[]? palette, byte[] clear)
    {
        var clearGrey = type == Grey && clear.Length == 2 ? BinaryPrimitives.ReadUInt16BigEndian(clear) : -1;
        for (var x = 0; x < greys.Length; x++)
        {
            if (palette is not null)
            {
                greys[x] = palette[Sample(row, x, depth)];
                continue;
            }
            var first = Sample(row, x * samples, depth);
            var shade = type is Colour or ColourAlpha
                ? (Level(first, depth) * 77 + Level(Sample(row, x * samples + 1, depth), depth) * 150 + Level(Sample(row, x * samples + 2, depth), depth) * 29) >> 8
                : first == clearGrey ? 255 : Level(first, depth);
            if (type is GreyAlpha or ColourAlpha) shade = OnWhite(shade, Level(Sample(row, x * samples + samples - 1, depth), depth));
            greys[x] = (byte)shade;
        }
    }

    private static int Sample(ReadOnlySpan<byte> row, int index, int depth) => depth switch
    {
        8 => row[index],
        16 => row[2 * index] << 8 | row[2 * index + 1],
        _ => (row[index * depth / 8] >> (8 - depth - index * depth % 8)) & ((1 << depth) - 1),
    };

    private static int Level(int sample, int depth) => depth switch { 16 => sample >> 8, 8 => sample, _ => sample * 255 / ((1 << depth) - 1) };

    private static int OnWhite(int shade, int alpha) => (shade * alpha + 255 * (255 - alpha)) / 255;

    private static byte[] PaletteGreys(Chunks chunks)
    {
        // An index beyond the palette is black, as readers everywhere do it.
        var greys = new byte[256];
        for (var i = 0; 3 * i < chunks.Palette.Length; i++)
        {
            var shade = (chunks.Palette[3 * i] * 77 + chunks.Palette[3 * i + 1] * 150 + chunks.Palette[3 * i + 2] * 29) >> 8;
            greys[i] = (byte)(i < chunks.Clear.Length ? OnWhite(shade, chunks.Clear[i]) : shade);
        }
        return greys;
    }

    private static bool IsDepthOf(byte type, byte depth) => type switch
    {
        Grey => depth is 1 or 2 or 4 or 8 or 16,
        Palette => depth is 1 or 2 or 4 or 8,
        Colour or GreyAlpha or ColourAlpha => depth is 8 or 16,
        _ => false,
    };

    private static uint CrcOf(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var value in bytes) crc = Crc[(crc ^ value) & 0xFF] ^ crc >> 8;
        return ~crc;
    }

    private static uint[] MakeCrc()
    {
        var table = new uint[256];
        for (var i = 0u; i < 256; i++)
        {
            var value = i;
            for (var bit = 0; bit < 8; bit++) value = (value & 1) != 0 ? 0xEDB88320 ^ value >> 1 : value >> 1;
            table[i] = value;
        }
        return table;
    }

    /// <summary>The contents of all data chunks as one stream.</summary>
    private sealed class ChunkStream(List<ReadOnlyMemory<byte>> parts) : Stream
    {
        private int _part, _at;

        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => false;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }
        public override void Flush() { }
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override int Read(Span<byte> buffer)
        {
            while (_part < parts.Count && _at == parts[_part].Length) (_part, _at) = (_part + 1, 0);
            if (_part == parts.Count) return 0;
            var taken = Math.Min(buffer.Length, parts[_part].Length - _at);
            parts[_part].Span.Slice(_at, taken).CopyTo(buffer);
            _at += taken;
            return taken;
        }
    }
}
