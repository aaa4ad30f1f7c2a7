using Polder.Apps.Bundles;
using Polder.Apps.Bundles.Letters;
using Polder.Cryptography;
using Polder.Simulation;

namespace Polder.Tests.Apps.Bundles;

/// <summary>Letters under real ciphers and signatures.</summary>
public sealed class SealedLetterTests
{
    private readonly World _world = new(3, options: new WorldOptions { RealSignatures = true });
    private readonly SimulatedNode _alice, _bob, _carol;

    public SealedLetterTests()
    {
        (_alice, _bob, _carol) = (_world.AddNode("alice", null, static _ => null), _world.AddNode("bob", null, static _ => null), _world.AddNode("carol", null, static _ => null));
    }

    private byte[] Seal(ReadOnlySpan<byte> body, out DeliveryProof proof) =>
        SealedLetter.Seal(_alice.Environment, _alice.Identity, _bob.Identity.Public, new LetterKind(9), body, DateTimeOffset.UnixEpoch.AddDays(20_000), 42, 1_800_000_000, out proof);

    private static LetterRefusal Open(SimulatedNode node, byte[] letter, out OpenedLetter? opened) => SealedLetter.TryOpen(node.Environment, node.Identity, letter, out opened);

    [Fact]
    public void Only_its_receiver_opens_a_letter_and_finds_all_that_was_put_in()
    {
        var letter = Seal("good morning"u8, out var proof);
        Assert.Equal(LetterRefusal.None, Open(_bob, letter, out var opened));
        Assert.Equal((_alice.Identity.Public, new LetterKind(9), 42ul, 1_800_000_000u, proof), (opened!.Letter.From, opened.Letter.Kind, opened.Letter.Number, opened.Expires, opened.Proof));
        Assert.Equal("good morning"u8.ToArray(), opened.Letter.Body.ToArray());
        Assert.Equal(LetterRefusal.NotForUs, Open(_carol, letter, out _));
        // Nor can its sender: the key is gone.
        Assert.Equal(LetterRefusal.NotForUs, Open(_alice, letter, out _));
    }

    [Fact]
    public void The_same_text_twice_is_two_letters_that_nothing_connects()
    {
        var (one, two) = (Seal("x"u8, out _), Seal("x"u8, out _));
        Assert.True(Envelope.TryRead(one, out var first) && Envelope.TryRead(two, out var second) && first.Hint != second.Hint && first.Lock != second.Lock && first.Ephemeral != second.Ephemeral);
        Assert.True(first.IsFor(_bob.Identity.Public));
        Assert.False(first.IsFor(_carol.Identity.Public));
    }

    [Theory]
    [InlineData(0, 256), InlineData(107, 256), InlineData(108, 384), InlineData(2000, 3072), InlineData(MailLimits.BodyBytesMax, 393_216)]
    public void Lengths_are_hidden_in_classes(int body, int text)
    {
        var letter = Seal(new byte[body], out _);
        Assert.Equal(Envelope.HeaderBytes + text + Envelope.TagBytes, letter.Length);
        Assert.Equal(LetterRefusal.None, Open(_bob, letter, out var opened));
        Assert.Equal(body, opened!.Letter.Body.Length);
    }

    [Fact]
    public void A_receiver_cannot_pass_a_letter_on_as_if_it_had_been_written_to_somebody_else()
    {
        // Bob takes what Alice signed for him and seals it for Carol: the signature names Bob.
        Assert.Equal(LetterRefusal.None, Open(_bob, Seal("I owe you 5"u8, out _), out var opened));
        var copied = SealedLetter.Seal(_bob.Environment, _bob.Identity, _carol.Identity.Public, new LetterKind(9), opened!.Letter.Body.Span, opened.Letter.Made, 42, opened.Expires, out _);
        Assert.Equal(LetterRefusal.None, Open(_carol, copied, out var carols));
        Assert.Equal(_bob.Identity.Public, carols!.Letter.From);
    }

    [Fact]
    public void A_proof_opens_its_own_lock_only()
    {
        var letter = Seal("x"u8, out var proof);
        Assert.True(Envelope.TryRead(letter, out var envelope));
        Assert.Equal(envelope.Lock, proof.Lock);
        _ = Seal("x"u8, out var other);
        Assert.NotEqual(envelope.Lock, other.Lock);
        Assert.NotEqual(envelope.Lock, new DeliveryProof(new LetterId(Hash256.Of(letter)).Hash).Lock);
    }
}
