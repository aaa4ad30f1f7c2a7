using System.Buffers.Binary;
using System.IO.Compression;
using Polder.Apps.Contacts.Pictures;
using Polder.Apps.Contacts.Qr;
using Polder.Runtime;
using QRCoder;

namespace Polder.Tests.Apps.Contacts;

/// <summary>Codes drawn by another program (QRCoder) are read again: every size, turned, small and large, damaged, askew, badly lit.</summary>
public sealed class QrReaderTests
{
    /// <summary>The text that fills a version at a level: so that every table is used.</summary>
    private static QRCodeData Draw(string text, QRCodeGenerator.ECCLevel level, int version = -1) =>
        new QRCodeGenerator().CreateQrCode(text, level, requestedVersion: version);

    private static GreyPicture Picture(QRCodeData code, int scale)
    {
        var side = code.ModuleMatrix.Count * scale;
        var pixels = new byte[side * side];
        for (var y = 0; y < side; y++)
            for (var x = 0; x < side; x++) pixels[y * side + x] = (byte)(code.ModuleMatrix[y / scale][x / scale] ? 20 : 240);
        return new GreyPicture(side, side, pixels);
    }

    private static GreyPicture Map(GreyPicture picture, int width, int height, Func<int, int, (double X, double Y)> from, Func<int, int, double, double>? shade = null)
    {
        var pixels = new byte[width * height];
        for (var y = 0; y < height; y++)
            for (var x = 0; x < width; x++)
            {
                // Four samples a pixel: edges are grey, as a camera makes them.
                var sum = 0.0;
                for (var part = 0; part < 4; part++)
                {
                    var (a0, b0) = from(x, y);
                    var (a1, b1) = from(x + 1, y + 1);
                    var (a, b) = (a0 + (a1 - a0) * ((part & 1) * 0.5 + 0.25), b0 + (b1 - b0) * ((part >> 1) * 0.5 + 0.25));
                    sum += a >= 0 && b >= 0 && a < picture.Width && b < picture.Height ? picture.Row((int)b)[(int)a] : 240;
                }
                pixels[y * width + x] = (byte)Math.Clamp(shade?.Invoke(x, y, sum / 4) ?? sum / 4, 0, 255);
            }
        return new GreyPicture(width, height, pixels);
    }

    private static GreyPicture Turned(GreyPicture picture, int quarters)
    {
        var (side, pixels) = (picture.Width, new byte[picture.Pixels.Length]);
        for (var y = 0; y < side; y++)
            for (var x = 0; x < side; x++)
            {
                var (u, v) = quarters switch { 1 => (y, side - 1 - x), 2 => (side - 1 - x, side - 1 - y), 3 => (side - 1 - y, x), _ => (x, y) };
                pixels[y * side + x] = picture.Row(v)[u];
            }
        return new GreyPicture(side, side, pixels);
    }

    [Fact]
    public void Every_size_and_level_is_read_at_several_scales_and_turned()
    {
        string[] texts = ["PEER:ABCDEFGH234567", "0123456789012345", "{\"name\":\"Zoë 漢\"}"];
        for (var version = 1; version <= 40; version++)
            foreach (var level in Enum.GetValues<QRCodeGenerator.ECCLevel>().Where(level => (int)level >= 0 && ((int)level + version) % 2 == 0))
            {
                var text = texts[(version + (int)level) % texts.Length];
                QRCodeData code;
                try { code = Draw(text, level, version); }
                // The smallest hold little at the highest levels.
                catch (QRCoder.Exceptions.DataTooLongException) { code = Draw(text = "AB1", level, version); }
                var scale = 1 + (version + (int)level) % 4;
                Assert.Equal(text, QrReader.Read(Turned(Picture(code, scale), version % 4)));
            }
    }

    [Fact]
    public void Full_codes_of_all_kinds_of_text_are_read()
    {
        var random = Prng.Derive(5, "qr");
        foreach (var length in new[] { 1, 17, 150, 700, 2300 })
        {
            var digits = string.Concat(Enumerable.Range(0, length).Select(_ => (char)('0' + random.Next(10))));
            var letters = string.Concat(Enumerable.Range(0, length).Select(_ => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567:"[random.Next(33)]));
            var small = string.Concat(Enumerable.Range(0, length).Select(_ => (char)('a' + random.Next(26)))) + "é";
            foreach (var text in new[] { digits, letters, small })
                Assert.Equal(text, QrReader.Read(Picture(Draw(text, QRCodeGenerator.ECCLevel.L), 2)));
        }
    }

    [Theory]
    [InlineData(QRCodeGenerator.ECCLevel.L)]
    [InlineData(QRCodeGenerator.ECCLevel.M)]
    [InlineData(QRCodeGenerator.ECCLevel.Q)]
    [InlineData(QRCodeGenerator.ECCLevel.H)]
    public void Damaged_modules_are_corrected(QRCodeGenerator.ECCLevel level)
    {
        const string text = "PEER:AEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
        for (var version = 6; version <= 38; version += 16)
        {
            var code = Draw(text, level, version);
            var random = Prng.Derive((ulong)version, "qr damage");
            var side = code.ModuleMatrix.Count;
            // Half of what can be corrected, for it does not fall evenly; in the data only: the corners and the format have their own protection.
            var (check, blocks) = QrVersion.Protection(version, (int)level);
            for (var i = 0; i < blocks * check / 4; i++)
            {
                var (x, y) = (random.Next(14, side - 14), random.Next(14, side - 14));
                code.ModuleMatrix[y][x] = !code.ModuleMatrix[y][x];
            }
            Assert.Equal(text, QrReader.Read(Picture(code, 2)));
            // And past all correction it is refused, not misread.
            for (var y = 14; y < side - 14; y++)
                for (var x = 14; x < side - 14; x++)
                    if (random.Chance(0.5)) code.ModuleMatrix[y][x] = !code.ModuleMatrix[y][x];
            Assert.Null(QrReader.Read(Picture(code, 2)));
        }
    }

    [Fact]
    public void Reed_and_Solomon_correct_as_many_bytes_as_half_the_check_bytes_and_no_more()
    {
        var random = Prng.Derive(9, "reed");
        foreach (var check in new[] { 7, 10, 18, 30 })
        {
            var generator = new byte[check + 1];
            var block = new byte[check + 40];
            // A block of zeros is a code word.
            for (var wrong = 0; wrong <= check / 2; wrong++)
            {
                Array.Clear(block);
                foreach (var place in Enumerable.Range(0, block.Length).OrderBy(_ => random.NextUInt64()).Take(wrong)) block[place] = (byte)random.Next(1, 256);
                Assert.True(ReedSolomon.Correct(block, check));
                Assert.All(block, value => Assert.Equal(0, value));
            }
            Assert.Equal(check + 1, generator.Length);
            var refused = 0;
            for (var round = 0; round < 50; round++)
            {
                for (var i = 0; i < block.Length; i++) block[i] = (byte)random.Next(256);
                if (!ReedSolomon.Correct(block, check)) refused++;
            }
            Assert.True(refused >= (check >= 10 ? 45 : 20), $"{refused} of 50 random blocks were refused at {check}");
        }
    }

    [Fact]
    public void A_photograph_that_leans_and_has_a_shadow_is_read()
    {
        const string text = "{\"public_key\":\"4c69624e61434c504b3a000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\",\"name\":\"Anna\"}";
        var random = Prng.Derive(3, "photo");
        var picture = Picture(Draw(text, QRCodeGenerator.ECCLevel.M), 6);
        foreach (var (angle, lean) in new[] { (0.0, 0.0), (0.03, 0.0), (-0.06, 0.04), (0.2, 0.0), (0.5, 0.06), (0.785, 0.0), (1.2, 0.05), (3.0, -0.05) })
        {
            var (size, middle) = (900, picture.Width / 2.0);
            var (cosine, sine) = (Math.Cos(angle), Math.Sin(angle));
            var photo = Map(picture, size, size, (x, y) =>
            {
                var (u, v) = ((x - size / 2.0) * 0.8, (y - size / 2.0) * 0.8);
                var scale = 1 + lean * v / 300;
                return ((u * cosine - v * sine) * scale + middle, (u * sine + v * cosine) * scale + middle);
            }, (x, y, shade) => shade * (0.35 + 0.6 * x / size) + random.Next(-12, 13));
            Assert.True(QrReader.Read(photo) == text, $"turned by {angle}, leaning {lean}");
        }
    }

    [Fact]
    public void White_on_black_mirrored_and_without_a_margin_is_read()
    {
        const string text = "PEER:ABCDEFGHIJKLMNOP";
        var picture = Picture(Draw(text, QRCodeGenerator.ECCLevel.L), 3);
        var side = picture.Width;
        Assert.Equal(text, QrReader.Read(new GreyPicture(side, side, [.. picture.Pixels.ToArray().Select(pixel => (byte)(255 - pixel))])));
        Assert.Equal(text, QrReader.Read(Map(picture, side, side, (x, y) => (side - 1 - x, y))));
        Assert.Equal(text, QrReader.Read(Map(picture, side - 24, side - 24, (x, y) => (x + 12, y + 12))));
    }

    [Fact]
    public void A_picture_without_a_code_gives_nothing()
    {
        var random = Prng.Derive(4, "noise");
        Assert.Null(QrReader.Read(new GreyPicture(1, 1, [0])));
        Assert.Null(QrReader.Read(new GreyPicture(300, 200, new byte[60_000])));
        Assert.Null(QrReader.Read(new GreyPicture(400, 400, [.. Enumerable.Range(0, 160_000).Select(_ => (byte)random.Next(256))])));
        Assert.Null(QrReader.Read(new GreyPicture(400, 400, [.. Enumerable.Range(0, 160_000).Select(i => (byte)((i / 3 + i / 1200) % 2 * 255))])));
    }

    [Theory]
    [InlineData(0, 1)] [InlineData(0, 2)] [InlineData(0, 4)] [InlineData(0, 8)] [InlineData(0, 16)]
    [InlineData(2, 8)] [InlineData(2, 16)] [InlineData(3, 1)] [InlineData(3, 2)] [InlineData(3, 4)] [InlineData(3, 8)]
    [InlineData(4, 8)] [InlineData(4, 16)] [InlineData(6, 8)] [InlineData(6, 16)]
    public void Every_kind_of_png_is_read_with_every_filter(byte type, byte depth)
    {
        const int width = 37, height = 11;
        var random = Prng.Derive(type * 100u + depth, "png");
        var most = (1 << Math.Min(8, (int)depth)) - 1;
        var samples = type switch { 2 => 3, 4 => 2, 6 => 4, _ => 1 };
        var rowBytes = (width * samples * depth + 7) / 8;
        var rows = new byte[height][];
        for (var y = 0; y < height; y++)
        {
            rows[y] = new byte[rowBytes];
            for (var i = 0; i < rowBytes; i++) rows[y][i] = (byte)random.Next(256);
        }
        byte[] palette = [.. Enumerable.Range(0, 3 * (most + 1)).Select(_ => (byte)random.Next(256))];
        var picture = PngReader.TryRead(Png.Make(width, height, depth, type, rows, palette: type == 3 ? palette : null), out var problem);
        Assert.Equal(PictureProblem.None, problem);
        for (var y = 0; y < height; y++)
            for (var x = 0; x < width; x++) Assert.Equal(Expected(rows[y], x), picture!.Row(y)[x]);

        int Value(byte[] row, int index) => depth switch
        {
            8 => row[index], 16 => row[2 * index],
            _ => (row[index * depth / 8] >> (8 - depth - index * depth % 8)) & most,
        };

        int Expected(byte[] row, int x)
        {
            var value = Value(row, x * samples);
            int Grey(int r, int g, int b) => (77 * r + 150 * g + 29 * b) >> 8;
            int White(int shade, int alpha) => (shade * alpha + 255 * (255 - alpha)) / 255;
            return type switch
            {
                0 => value * 255 / most,
                2 => Grey(value, Value(row, x * 3 + 1), Value(row, x * 3 + 2)),
                3 => Grey(palette[3 * value], palette[3 * value + 1], palette[3 * value + 2]),
                4 => White(value, Value(row, x * 2 + 1)),
                _ => White(Grey(value, Value(row, x * 4 + 1), Value(row, x * 4 + 2)), Value(row, x * 4 + 3)),
            };
        }
    }

    [Fact]
    public void The_png_of_another_program_is_read()
    {
        using var png = new PngByteQRCode(Draw("PEER:ABCDEFGH", QRCodeGenerator.ECCLevel.M));
        foreach (var scale in new[] { 1, 3, 20 })
            Assert.Equal("PEER:ABCDEFGH", QrReader.Read(PngReader.TryRead(png.GetGraphic(scale), out _)!));
        Assert.Equal("PEER:ABCDEFGH", QrReader.Read(PngReader.TryRead(png.GetGraphic(4, [200, 30, 30, 255], [255, 240, 200, 255]), out _)!));
    }

    [Fact]
    public void Hostile_pictures_are_refused_before_they_cost_anything()
    {
        byte[] line = [0, 255, 0, 255];
        var good = Png.Make(4, 2, 8, 0, [line, line]);
        Assert.NotNull(PngReader.TryRead(good, out _));
        PictureProblem Why(byte[] file)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            Assert.Null(PngReader.TryRead(file, out var problem));
            Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 1 << 20);
            return problem;
        }
        // Sizes that are said and not there; 4 billion to a side; a bomb of zeros that unpacks to a thousand times its size.
        Assert.Equal(PictureProblem.TooLarge, Why(Png.Make(60_000, 60_000, 8, 0, [line])));
        Assert.Equal(PictureProblem.TooLarge, Why(Png.Make(uint.MaxValue >> 1, 1, 8, 0, [line])));
        Assert.Equal(PictureProblem.TooLarge, Why(Png.Make(16_384, 1_025, 8, 0, [line])));
        Assert.Equal(PictureProblem.Damaged, Why(Png.Make(uint.MaxValue, uint.MaxValue, 8, 0, [line])));
        Assert.Equal(PictureProblem.Damaged, Why(Png.Make(0, 4, 8, 0, [line])));
        Assert.Equal(PictureProblem.Damaged, Why(Png.Make(16_000, 1_000, 8, 0, [line])));
        var bomb = Png.Make(4, 2, 8, 0, [line, line, new byte[3_000_000]]);
        Assert.True(bomb.Length < 20_000);
        var allocated = GC.GetAllocatedBytesForCurrentThread();
        Assert.NotNull(PngReader.TryRead(bomb, out _));
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - allocated < 1 << 20);
        Assert.Equal(PictureProblem.NotPng, Why([0xFF, 0xD8, 0xFF, 0xE0]));
        Assert.Equal(PictureProblem.NotPng, Why([]));
        Assert.Equal(PictureProblem.Interlaced, Why(Png.Make(4, 2, 8, 0, [line, line], interlaced: true)));
        Assert.Equal(PictureProblem.Damaged, Why(Png.Make(4, 2, 3, 0, [line, line])));
        Assert.Equal(PictureProblem.Damaged, Why(Png.Make(4, 2, 8, 3, [line, line])));
        Assert.Equal(PictureProblem.Damaged, Why(Png.Make(4, 2, 8, 1, [line, line])));
        for (var i = 8; i < good.Length; i++)
        {
            Assert.Equal(PictureProblem.Damaged, Why(good[..i]));
            var changed = good.ToArray();
            changed[i] ^= 0x40;
            // The last chunk's own length and checksum guard nothing that is read.
            if (PngReader.TryRead(changed, out _) is not null) Assert.True(i >= good.Length - 12, $"byte {i}");
        }
    }

    [Fact]
    public void Pictures_and_codes_survive_fuzzing()
    {
        byte[] line = [0, 255, 0, 255];
        List<byte[]> corpus = [Png.Make(4, 2, 8, 0, [line, line]), Png.Make(8, 4, 4, 3, [line, line, line, line], palette: [.. Enumerable.Range(0, 48).Select(i => (byte)i)]), Png.Make(1, 2, 8, 2, [line[..3], line[..3]])];
        Fuzz.Run("png", corpus, static bytes => PngReader.TryRead(bytes.ToArray(), out _, pixelsMax: 4096), allocationFactor: 64);
        // Behind good checksums too.
        Fuzz.Run("png content", [.. corpus.Select(file => file[16..^12])], static bytes =>
        {
            if (bytes.Length >= 13) PngReader.TryRead(Png.Wrap(bytes[..13].ToArray(), bytes[13..].ToArray()), out _, pixelsMax: 4096);
        }, allocationFactor: 512);
        var code = Picture(Draw("PEER:ABC", QRCodeGenerator.ECCLevel.L), 1);
        Fuzz.Run("qr picture", [code.Pixels.ToArray()], bytes =>
        {
            var height = bytes.Length / code.Width;
            if (height > 0) QrReader.Read(new GreyPicture(code.Width, height, bytes[..(height * code.Width)].ToArray()));
        }, allocationFactor: 4096);
        for (var version = 1; version <= 40; version += 13)
        {
            var at = version;
            Fuzz.Run($"qr segments {version}", [[0x40, 0x34, 0x14, 0x24, 0x30], [0x20, 0x18, 0xFF], [0x10, 0x20, 0x0F, 0xF0]], bytes => QrSegments.Read(bytes.ToArray(), at), allocationFactor: 64);
        }
    }
}

/// <summary>Makes PNG files, good ones and others.</summary>
internal static class Png
{
    public static byte[] Make(uint width, uint height, byte depth, byte type, byte[][] rows, byte[]? palette = null, bool interlaced = false)
    {
        var head = new byte[13];
        BinaryPrimitives.WriteUInt32BigEndian(head, width);
        BinaryPrimitives.WriteUInt32BigEndian(head.AsSpan(4), height);
        (head[8], head[9], head[12]) = (depth, type, (byte)(interlaced ? 1 : 0));
        using var packed = new MemoryStream();
        using (var stream = new ZLibStream(packed, CompressionLevel.Optimal, leaveOpen: true))
        {
            var pixel = Math.Max(1, (type switch { 2 => 3, 4 => 2, 6 => 4, _ => 1 }) * depth / 8);
            for (var y = 0; y < rows.Length; y++)
            {
                var (filter, row, above) = (y % 5, rows[y], y > 0 && rows[y - 1].Length == rows[y].Length ? rows[y - 1] : new byte[rows[y].Length]);
                stream.WriteByte((byte)filter);
                for (var i = 0; i < row.Length; i++)
                {
                    int left = i >= pixel ? row[i - pixel] : 0, up = above[i], corner = i >= pixel ? above[i - pixel] : 0;
                    var p = left + up - corner;
                    var paeth = Math.Abs(p - left) <= Math.Abs(p - up) && Math.Abs(p - left) <= Math.Abs(p - corner) ? left : Math.Abs(p - up) <= Math.Abs(p - corner) ? up : corner;
                    stream.WriteByte((byte)((row[i] - filter switch { 1 => left, 2 => up, 3 => (left + up) / 2, 4 => paeth, _ => 0 }) & 0xFF));
                }
            }
        }
        return Wrap(head, packed.ToArray(), palette);
    }

    public static byte[] Wrap(byte[] head, byte[] data, byte[]? palette = null)
    {
        using var file = new MemoryStream();
        file.Write([0x89, (byte)'P', (byte)'N', (byte)'G', 13, 10, 26, 10]);
        Chunk("IHDR", head);
        if (palette is not null) Chunk("PLTE", palette);
        Chunk("IDAT", data[..(data.Length / 2)]);
        Chunk("IDAT", data[(data.Length / 2)..]);
        Chunk("IEND", []);
        return file.ToArray();

        void Chunk(string type, byte[] content)
        {
            byte[] named = [.. System.Text.Encoding.ASCII.GetBytes(type), .. content];
            Span<byte> number = stackalloc byte[4];
            BinaryPrimitives.WriteUInt32BigEndian(number, (uint)content.Length);
            file.Write(number);
            file.Write(named);
            var crc = uint.MaxValue;
            foreach (var value in named)
            {
                crc ^= value;
                for (var bit = 0; bit < 8; bit++) crc = (crc & 1) != 0 ? 0xEDB88320 ^ crc >> 1 : crc >> 1;
            }
            BinaryPrimitives.WriteUInt32BigEndian(number, ~crc);
            file.Write(number);
        }
    }
}
