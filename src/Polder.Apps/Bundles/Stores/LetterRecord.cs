using Polder.Apps.Bundles.Letters;
using Polder.Wire;

namespace Polder.Apps.Bundles.Stores;

/// <summary>A letter in the hands of somebody who carries it: copies 1, hops left 1, the sealed letter. On the wire and in bundles.</summary>
internal static class LetterRecord
{
    public static byte[] Write(int copies, int hops, ReadOnlySpan<byte> letter) => [(byte)copies, (byte)hops, .. letter];

    /// <summary>False: not of this form; the box is not looked at.</summary>
    public static bool TryRead(ReadOnlySpan<byte> body, out int copies, out int hops, out ReadOnlySpan<byte> letter, out Envelope? envelope)
    {
        var reader = new WireReader(body);
        (copies, hops, envelope) = (reader.ReadByte(), reader.ReadByte(), null);
        letter = reader.ReadRest(Envelope.BytesMax);
        return reader.Finish() && copies <= 16 && hops <= 8 && Envelope.TryRead(letter, out envelope);
    }
}
