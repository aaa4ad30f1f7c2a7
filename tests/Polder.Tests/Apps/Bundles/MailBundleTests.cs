using Polder.Apps.Bundles.Files;
using Polder.Apps.Bundles.Letters;
using Polder.Simulation;

namespace Polder.Tests.Apps.Bundles;

/// <summary>Bundles from hand to hand: A, then C, then B, who never meet on the network.</summary>
public sealed class MailBundleTests
{
    private readonly MailTestPeople _people = new();

    private byte[] Export(SimulatedNode node, SimulatedNode? receiver)
    {
        var stream = new MemoryStream();
        Task<MailBundleMade>? task = null;
        node.Run(() => task = node.Mailbag!.Bundles.ExportAsync(receiver?.Identity.Public, stream));
        _people.World.RunUntil(() => task!.IsCompleted, 10.Seconds, "exported");
        Assert.Equal(stream.Length, task!.Result.Bytes);
        return stream.ToArray();
    }

    private MailBundleTaken Import(SimulatedNode node, byte[] bundle)
    {
        Task<MailBundleTaken>? task = null;
        node.Run(() => task = node.Mailbag!.Bundles.ImportAsync(new MemoryStream(bundle)));
        _people.World.RunUntil(() => task!.IsCompleted, 10.Seconds, "imported");
        return task!.Result;
    }

    private (SimulatedNode Alice, SimulatedNode Carol, SimulatedNode Bob) Three()
    {
        var (alice, carol, bob) = (_people.Add("alice"), _people.Add("carol"), _people.Add("bob"));
        _people.Befriend(alice, bob);
        // Nobody hears anybody: only files travel.
        _people.World.Partition(["alice"], ["carol", "bob"]);
        _people.World.Partition(["carol"], ["bob"]);
        return (alice, carol, bob);
    }

    [Fact]
    public void A_letter_goes_on_a_stick_to_its_receiver_and_the_receipt_comes_back_on_another()
    {
        var (alice, _, bob) = Three();
        var id = _people.Post(alice, bob, "by hand");
        var bundle = Export(alice, bob);
        Assert.StartsWith("Here, and in a file of", _people.State(alice, id).ToString(), StringComparison.Ordinal);
        var taken = Import(bob, bundle);
        Assert.Equal((MailBundleRefusal.None, alice.Identity.Public, 1), (taken.Refusal, taken.Maker, taken.LettersForUs));
        Assert.Equal("by hand", MailTestPeople.Text(Assert.Single(_people.Got(bob))));
        // The same once more changes nothing.
        var again = Import(bob, bundle);
        Assert.Equal((0, 1, false), (again.LettersForUs, again.LettersKnown, again.IsNew));
        Assert.Single(_people.Got(bob));
        _people.World.RunFor(5.Seconds);
        var back = Import(alice, Export(bob, alice));
        Assert.Equal(MailBundleRefusal.None, back.Refusal);
        Assert.Equal(LetterStage.Delivered, _people.State(alice, id).Stage);
    }

    [Fact]
    public void A_stranger_takes_an_open_bundle_along_and_hands_it_on_and_nobody_reads_whose_it_is()
    {
        var (alice, carol, bob) = Three();
        _people.Post(alice, bob, "through carol");
        var open = Export(alice, null);
        var atCarol = Import(carol, open);
        Assert.Equal((1, 0, (Polder.Identity.PublicKey?)null), (atCarol.LettersToCarry, atCarol.LettersForUs, atCarol.Maker));
        Assert.Equal((0, 1), (Import(carol, open).LettersToCarry, Import(carol, open).LettersKnown));
        Assert.False(Contains(open, alice.Identity.Public.Bytes[10..42]) || Contains(open, bob.Identity.Public.Bytes[10..42]));
        Assert.Equal(1, Import(bob, Export(carol, bob)).LettersForUs);
        Assert.Equal("through carol", MailTestPeople.Text(Assert.Single(_people.Got(bob))));

        static bool Contains(byte[] bytes, ReadOnlySpan<byte> part) => bytes.AsSpan().IndexOf(part) >= 0;
    }

    [Fact]
    public void A_foreign_a_damaged_and_a_cut_bundle_each_get_a_clear_sentence_and_change_nothing()
    {
        var (alice, carol, bob) = Three();
        for (var i = 0; i < 40; i++) _people.Post(alice, bob, new string('x', 3000));
        var bundle = Export(alice, bob);
        Assert.True(bundle.Length > 2 * BundleFormat.ChunkTextBytes);
        Assert.Equal(MailBundleRefusal.NotForUs, Import(carol, bundle).Refusal);
        foreach (var at in new[] { 70, 300, bundle.Length / 2, bundle.Length - 1 })
        {
            var damaged = bundle.ToArray();
            damaged[at] ^= 1;
            Assert.Equal(MailBundleRefusal.Damaged, Import(bob, damaged).Refusal);
        }
        Assert.Equal(MailBundleRefusal.Damaged, Import(bob, bundle[..(bundle.Length - 100)]).Refusal);
        // Whole chunks, but the end is missing.
        var (first, at0) = (System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(bundle.AsSpan(BundleFormat.HeaderBytes)), BundleFormat.HeaderBytes);
        Assert.Equal(MailBundleRefusal.Damaged, Import(bob, bundle[..(at0 + 4 + first)]).Refusal);
        Assert.Equal(MailBundleRefusal.Damaged, Import(bob, [.. bundle, 0, 0, 0, 17, .. new byte[17]]).Refusal);
        Assert.Equal(MailBundleRefusal.NotABundle, Import(bob, "hello"u8.ToArray()).Refusal);
        Assert.Empty(_people.Got(bob));
        Assert.Equal(40, Import(bob, bundle).LettersForUs);
        Assert.Equal(40, _people.Got(bob).Count);
        foreach (var refusal in Enum.GetValues<MailBundleRefusal>()) Assert.EndsWith(".", BundleFormat.Explain(refusal), StringComparison.Ordinal);
    }
}
