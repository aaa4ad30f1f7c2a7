namespace Polder.Apps.Parcels.Stock;

/// <summary>The checksum of zip files: CRC-32 of IEEE 802.3, eight bytes at a step.</summary>
internal static class Crc32
{
    private static readonly uint[] Table = Make();

    /// <summary>Goes on from <paramref name="crc"/>, which is 0 at the start.</summary>
    public static uint Update(uint crc, ReadOnlySpan<byte> bytes)
    {
        unchecked
        {
            crc = ~crc;
            var table = Table;
            while (bytes.Length >= 8)
            {
                var low = System.Buffers.Binary.BinaryPrimitives.ReadUInt32LittleEndian(bytes) ^ crc;
                var high = System.Buffers.Binary.BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]);
                crc = table[7 * 256 + (byte)low] ^ table[6 * 256 + (byte)(low >> 8)] ^ table[5 * 256 + (byte)(low >> 16)] ^ table[4 * 256 + (int)(low >> 24)]
                    ^ table[3 * 256 + (byte)high] ^ table[2 * 256 + (byte)(high >> 8)] ^ table[256 + (byte)(high >> 16)] ^ table[(int)(high >> 24)];
                bytes = bytes[8..];
            }
            foreach (var value in bytes) crc = table[(byte)(crc ^ value)] ^ (crc >> 8);
            return ~crc;
        }
    }

    private static uint[] Make()
    {
        var table = new uint[8 * 256];
        for (uint i = 0; i < 256; i++)
        {
            var value = i;
            for (var bit = 0; bit < 8; bit++) value = (value & 1) != 0 ? 0xEDB88320 ^ (value >> 1) : value >> 1;
            table[i] = value;
        }
        for (var i = 256; i < table.Length; i++) table[i] = table[table[i - 256] & 0xFF] ^ (table[i - 256] >> 8);
        return table;
    }
}
