using System.Diagnostics.CodeAnalysis;
using Polder.Apps.Bundles.Letters;
using Polder.Cryptography;
using Polder.Wire;

namespace Polder.Apps.Bundles.Carrying;

/// <summary>What is said on a stream "polder/mail/1": its opener gives, the other side takes (docs/wire/mailbag.md).</summary>
/// <remarks><code>
/// every frame: type 1, length of the body 4, body
///
/// 1 offer    giver   number n 1 (1 to 64); n × head of the letter's name 8, size class 1, expires 4, role 1:
///                    0 for you; 1 carry it, followed by copies 1, hops left 1, hint 8, ephemeral key 32
/// 2 answer   taker   n verdicts 1, in the order of the offer; 3 (it arrived) is followed by the proof 32
/// 3 letter   giver   copies 1, hops left 1, the sealed letter; only those that are wanted, in the order of the offer
/// 4 taken    taker   head 8, verdict 1; 3 is followed by the proof 32. One for each letter
/// 5 notes    giver   number n 1 (1 to 128); n × head 8, proof 32. Unanswered
/// </code></remarks>
internal static class MailWire
{
    public const string ProtocolName = "polder/mail/1";
    public const int FrameHeaderBytes = 5;

    /// <summary>The longest body of a frame.</summary>
    public static int BodyBytesMax => Envelope.BytesMax + 2;
}

internal enum MailFrame : byte { Offer = 1, Answer = 2, Letter = 3, Taken = 4, Notes = 5 }

/// <summary>What the taker says of a letter.</summary>
internal enum MailVerdict : byte
{
    /// <summary>Send it.</summary>
    Want = 0,
    /// <summary>It is carried now, on the disk.</summary>
    Carried = 1,
    /// <summary>It is carried already.</summary>
    Have = 2,
    /// <summary>It arrived at its receiver: proof follows.</summary>
    Arrived = 3,
    /// <summary>There is no room for it.</summary>
    Full = 4,
    /// <summary>It is not wanted: not for us, not by our rules, not a letter.</summary>
    Unwanted = 5,
    /// <summary>Not now; perhaps later.</summary>
    Later = 6,
    /// <summary>Its time is over.</summary>
    Expired = 7,
}

/// <summary>One letter of an offer.</summary>
/// <param name="Head">The first 8 bytes of its name.</param>
/// <param name="Class">Its size class.</param>
/// <param name="Expires">When it ends.</param>
/// <param name="Carry">How it is to be carried; null where it is for the taker.</param>
internal sealed record MailOffer(ulong Head, int Class, uint Expires, CarryTerms? Carry)
{
    public int LetterBytes => Envelope.HeaderBytes + SizeClass.BytesOf(Class) + Envelope.TagBytes;

    public static byte[] Write(IReadOnlyList<MailOffer> offers)
    {
        var bytes = new byte[1 + offers.Sum(static offer => 14 + (offer.Carry is null ? 0 : 42))];
        var writer = new WireWriter(bytes);
        writer.WriteByte((byte)offers.Count);
        foreach (var offer in offers)
        {
            writer.WriteUInt64(offer.Head);
            writer.WriteByte((byte)offer.Class);
            writer.WriteUInt32(offer.Expires);
            writer.WriteBoolean(offer.Carry is not null);
            if (offer.Carry is not { } carry) continue;
            writer.WriteByte((byte)carry.Copies);
            writer.WriteByte((byte)carry.Hops);
            writer.WriteUInt64(carry.Hint);
            carry.Ephemeral.CopyTo(writer.Reserve(Hash256.Bytes));
        }
        return bytes;
    }

    /// <summary>Null: not of this form.</summary>
    public static IReadOnlyList<MailOffer>? Read(ReadOnlySpan<byte> body)
    {
        var reader = new WireReader(body);
        var count = reader.ReadByte();
        reader.Require(count is > 0 and <= MailLimits.OfferMax, WireError.TooLong);
        var offers = new List<MailOffer>();
        for (var i = 0; i < count && !reader.Failed; i++)
        {
            var (head, sizeClass, expires, role) = (reader.ReadUInt64(), reader.ReadByte(), reader.ReadUInt32(), reader.ReadByte());
            reader.Require(sizeClass <= SizeClass.Max, WireError.TooLong);
            reader.Require(role <= 1, WireError.UnknownTag);
            CarryTerms? terms = null;
            if (role == 1)
            {
                var (copies, hops, hint) = (reader.ReadByte(), reader.ReadByte(), reader.ReadUInt64());
                var ephemeral = reader.ReadBytes(Hash256.Bytes);
                reader.Require(copies is > 0 and <= 16 && hops <= 8);
                if (!reader.Failed) terms = new CarryTerms(copies, hops, hint, new Hash256(ephemeral));
            }
            if (!reader.Failed) offers.Add(new MailOffer(head, sizeClass, expires, terms));
        }
        return reader.Finish() ? offers : null;
    }
}

/// <summary>How a letter is to be carried, and whose it is for those who know.</summary>
internal sealed record CarryTerms(int Copies, int Hops, ulong Hint, Hash256 Ephemeral);

/// <summary>A verdict, with what belongs to it.</summary>
/// <param name="Verdict">The verdict.</param>
/// <param name="KnowsReceiver">The receiver is a contact of the taker (bit 7 of the verdict's byte).</param>
/// <param name="Proof">That it arrived.</param>
internal readonly record struct MailAnswer(MailVerdict Verdict, bool KnowsReceiver = false, DeliveryProof? Proof = null)
{
    private const byte Knows = 0x80;

    private void Write(ref WireWriter writer)
    {
        writer.WriteByte((byte)((byte)Verdict | (KnowsReceiver ? Knows : 0)));
        if (Verdict == MailVerdict.Arrived) Proof!.Value.Value.CopyTo(writer.Reserve(Hash256.Bytes));
    }

    private static MailAnswer Read(ref WireReader reader)
    {
        var value = reader.ReadByte();
        var verdict = (MailVerdict)(value & ~Knows);
        reader.Require(verdict <= MailVerdict.Expired, WireError.UnknownTag);
        if (verdict != MailVerdict.Arrived) return new MailAnswer(verdict, (value & Knows) != 0);
        var proof = reader.ReadBytes(Hash256.Bytes);
        return reader.Failed ? default : new MailAnswer(verdict, (value & Knows) != 0, new DeliveryProof(new Hash256(proof)));
    }

    public static byte[] WriteAll(IReadOnlyList<MailAnswer> answers)
    {
        var bytes = new byte[answers.Sum(static answer => answer.Verdict == MailVerdict.Arrived ? 33 : 1)];
        var writer = new WireWriter(bytes);
        foreach (var answer in answers) answer.Write(ref writer);
        return bytes;
    }

    /// <summary>Null: not of this form, or not so many.</summary>
    public static IReadOnlyList<MailAnswer>? ReadAll(ReadOnlySpan<byte> body, int count)
    {
        var reader = new WireReader(body);
        var answers = new List<MailAnswer>(Math.Min(count, MailLimits.OfferMax));
        for (var i = 0; i < count && !reader.Failed; i++) answers.Add(Read(ref reader));
        return reader.Finish() ? answers : null;
    }

    public byte[] WriteTaken(ulong head)
    {
        var bytes = new byte[8 + (Verdict == MailVerdict.Arrived ? 33 : 1)];
        var writer = new WireWriter(bytes);
        writer.WriteUInt64(head);
        Write(ref writer);
        return bytes;
    }

    public static bool TryReadTaken(ReadOnlySpan<byte> body, out ulong head, out MailAnswer answer)
    {
        var reader = new WireReader(body);
        head = reader.ReadUInt64();
        answer = Read(ref reader);
        return reader.Finish();
    }
}

/// <summary>Proofs that go from hand to hand.</summary>
internal static class MailNotes
{
    public static byte[] Write(IReadOnlyList<ProofNote> notes)
    {
        var bytes = new byte[1 + notes.Count * 40];
        var writer = new WireWriter(bytes);
        writer.WriteByte((byte)notes.Count);
        foreach (var note in notes)
        {
            writer.WriteUInt64(note.Id.Head);
            note.Proof.Value.CopyTo(writer.Reserve(Hash256.Bytes));
        }
        return bytes;
    }

    /// <summary>False: not of this form.</summary>
    public static bool TryRead(ReadOnlySpan<byte> body, [NotNullWhen(true)] out IReadOnlyList<(ulong Head, DeliveryProof Proof)>? notes)
    {
        notes = null;
        var reader = new WireReader(body);
        var count = reader.ReadByte();
        if (count is 0 or > MailLimits.NotesPerFrameMax || body.Length != 1 + count * 40) return false;
        var read = new List<(ulong, DeliveryProof)>(count);
        for (var i = 0; i < count; i++) read.Add((reader.ReadUInt64(), new DeliveryProof(new Hash256(reader.ReadBytes(Hash256.Bytes)))));
        notes = read;
        return reader.Finish();
    }
}
