using Polder.Apps.Bundles.Carrying;
using Polder.Apps.Bundles.Files;
using Polder.Apps.Bundles.Letters;
using Polder.Apps.Bundles.Stores;
using Polder.Cryptography;
using Polder.Identity;
using Polder.Simulation;

namespace Polder.Tests.Apps.Bundles;

/// <summary>Every decoder of the mail-bag under damaged and random bytes.</summary>
public sealed class MailFuzzTests
{
    private static readonly World World = new(7);
    private static readonly SimulatedNode Alice = World.AddNode("alice", null, static _ => null), Bob = World.AddNode("bob", null, static _ => null);

    private static byte[] Letter(string text = "hello", uint expires = 2_000_000_000) => SealedLetter.Seal(
        Alice.Environment, Alice.Identity, Bob.Identity.Public, new LetterKind(1), System.Text.Encoding.UTF8.GetBytes(text), DateTimeOffset.UnixEpoch.AddYears(50), 1, expires, out _);

    private static Envelope EnvelopeOf(byte[] letter) => Envelope.TryRead(letter, out var envelope) ? envelope : throw new InvalidOperationException();

    private static DeliveryProof Proof => new(Hash256.Of([1]));

    [Fact]
    public void Sealed_letters_survive()
    {
        var letter = Letter();
        Assert.Equal(LetterRefusal.None, SealedLetter.TryOpen(Bob.Environment, Bob.Identity, letter, out _));
        Fuzz.RefusesEveryTruncation(letter, static bytes => SealedLetter.TryOpen(Bob.Environment, Bob.Identity, bytes, out _) == LetterRefusal.None);
        for (var i = 0; i < letter.Length; i++)
        {
            letter[i] ^= 1;
            Assert.NotEqual(LetterRefusal.None, SealedLetter.TryOpen(Bob.Environment, Bob.Identity, letter, out _));
            letter[i] ^= 1;
        }
        Fuzz.Run("sealed letter", [letter, Letter(new string('x', 1000))], static bytes => SealedLetter.TryOpen(Bob.Environment, Bob.Identity, bytes, out _));
    }

    [Fact]
    public void Own_carried_and_received_letters_survive()
    {
        var envelope = EnvelopeOf(Letter());
        var name = Hash256.Of([2]).ToArray();
        var own = new OwnLetter { Id = new(Hash256.Of([2])), To = Bob.Identity.Public, Kind = new(1), Envelope = envelope, Made = 1, Number = 2, Proof = Proof };
        own.Carriers.Add((Bob.Identity.Public, true, 5));
        Assert.True(OwnLetter.TryRead(name, own.Write(), out var read));
        Assert.Equal(own.Write(), read.Write());
        Fuzz.Run("own letter", [own.Write()], bytes => OwnLetter.TryRead(name, bytes, out _), allocationFactor: 8);
        var carried = new CarriedLetter { Id = own.Id, Envelope = envelope, Depositor = Alice.Identity.Public, IsFriends = true, Since = 1, Until = 2, Copies = 3, Hops = 4 };
        carried.NoteGiven(7);
        Assert.True(CarriedLetter.TryRead(name, carried.Write(), out var readCarried));
        Assert.Equal(carried.Write(), readCarried.Write());
        Fuzz.Run("carried letter", [carried.Write()], bytes => CarriedLetter.TryRead(name, bytes, out _), allocationFactor: 8);
        var received = new ReceivedLetter { Id = own.Id, From = Alice.Identity.Public, Expires = 1, Proof = Proof, Due = ReceiptDue.Seen | ReceiptDue.WasSeen };
        Assert.True(ReceivedLetter.TryRead(name, received.Write(), out var readReceived));
        Assert.Equal(received.Write(), readReceived.Write());
        Fuzz.Run("received letter", [received.Write()], bytes => ReceivedLetter.TryRead(name, bytes, out _));
        Fuzz.Run("proof note", [new byte[36]], bytes => new ProofNotes(new MemoryMailStore()).Load(new MailThing(MailShelf.Notes, name, bytes.ToArray())), allocationFactor: 16);
    }

    [Fact]
    public void Frames_survive()
    {
        var envelope = EnvelopeOf(Letter());
        var offers = MailOffer.Write([new MailOffer(1, 2, 3, null), new MailOffer(4, 5, 6, new CarryTerms(3, 2, envelope.Hint, envelope.Ephemeral))]);
        Assert.Equal(2, MailOffer.Read(offers)!.Count);
        Fuzz.RefusesEveryTruncation(offers, static bytes => MailOffer.Read(bytes) is not null);
        Fuzz.Run("offer", [offers], static bytes => MailOffer.Read(bytes), allocationFactor: 12);
        var answers = MailAnswer.WriteAll([new MailAnswer(MailVerdict.Want, true), new MailAnswer(MailVerdict.Arrived, Proof: Proof)]);
        Assert.Equal(Proof, MailAnswer.ReadAll(answers, 2)![1].Proof);
        Fuzz.RefusesEveryTruncation(answers, static bytes => MailAnswer.ReadAll(bytes, 2) is not null);
        Fuzz.Run("answers", [answers], static bytes => MailAnswer.ReadAll(bytes, 2));
        Fuzz.Run("taken", [new MailAnswer(MailVerdict.Arrived, Proof: Proof).WriteTaken(9)], static bytes => MailAnswer.TryReadTaken(bytes, out _, out _));
        var notes = MailNotes.Write([new ProofNote(new(Hash256.Of([3])), Proof, 1, 1)]);
        Fuzz.RefusesEveryTruncation(notes, static bytes => MailNotes.TryRead(bytes, out _));
        Fuzz.Run("notes", [notes], static bytes => MailNotes.TryRead(bytes, out _));
        Fuzz.Run("letter record", [LetterRecord.Write(1, 1, Letter())], static bytes => LetterRecord.TryRead(bytes, out _, out _, out _, out _));
        var receipts = ReceiptList.Write([(new(Hash256.Of([4])), LetterStage.Seen)]);
        Fuzz.RefusesEveryTruncation(receipts, static bytes => ReceiptList.Read(bytes) is not null);
        Fuzz.Run("receipts", [receipts], static bytes => ReceiptList.Read(bytes));
    }

    [Fact]
    public void Bundles_survive()
    {
        foreach (var receiver in new[] { Bob.Identity.Public, null })
        {
            var bundle = Bundle(receiver);
            Assert.True(Reads(bundle));
            Fuzz.RefusesEveryTruncation(bundle, Reads);
            for (var i = 0; i < bundle.Length; i++)
            {
                bundle[i] ^= 0x10;
                Assert.False(Reads(bundle), $"byte {i} changed");
                bundle[i] ^= 0x10;
            }
            // A chunk is opened into a buffer of its own; what is read of it may wait for the rest of its record.
            Fuzz.Run("bundle", [bundle], static bytes => Reads(bytes.ToArray()), allocationFactor: 12);
        }
    }

    internal static byte[] Bundle(PublicKey? receiver)
    {
        var bytes = new List<byte>();
        using var writer = new BundleWriter(Alice.Environment, Alice.Identity, receiver, default, 5, chunk => bytes.AddRange(chunk));
        writer.Add(BundleRecord.Letter, LetterRecord.Write(1, 1, Letter()));
        writer.Add(BundleRecord.Card, "alice"u8);
        writer.End();
        return [.. bytes];
    }

    internal static bool Reads(byte[] bundle)
    {
        if (BundleReader.TryOpen(Bob.Environment, Bob.Identity, default, bundle, out var opened) != MailBundleRefusal.None) return false;
        using var reader = opened!;
        var records = new List<(BundleRecord, byte[])>();
        for (var at = BundleFormat.HeaderBytes; at < bundle.Length;)
        {
            if (bundle.Length - at < 4 || BundleReader.BoxBytes(bundle.AsSpan(at, 4)) is not { } length || bundle.Length - at - 4 < length) return false;
            if (!reader.TryRead(bundle.AsSpan(at, 4), bundle.AsSpan(at + 4, length), records)) return false;
            at += 4 + length;
        }
        return reader.IsWhole;
    }
}
