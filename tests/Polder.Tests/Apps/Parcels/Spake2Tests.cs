using Polder.Cryptography;
using Polder.Runtime;

namespace Polder.Tests.Apps.Parcels;

public sealed class Spake2Tests
{
    // What the reference library takes and no honest side sends: the specification of the wire says to refuse them.
    private static readonly string[] RefusedByUs = ["one byte too many", "zero element with sign bit", "zero element, y = p + 1"];

    [Fact]
    public void Every_recorded_run_gives_the_recorded_messages_and_keys()
    {
        foreach (var run in WormholeVectors.Read("spake2.json").GetProperty("runs").EnumerateArray())
        {
            var identity = System.Text.Encoding.UTF8.GetBytes(run.Text("identity"));
            using var a = Spake2.Start(run.Hex("password_a"), identity, run.Hex("entropy_a"));
            using var b = Spake2.Start(run.Hex("password_b"), run.TryGetProperty("identity_b", out var other) ? System.Text.Encoding.UTF8.GetBytes(other.GetString()!) : identity, run.Hex("entropy_b"));
            Assert.Equal(run.Text("message_a"), Convert.ToHexStringLower(a.Message.Span));
            Assert.Equal(run.Text("message_b"), Convert.ToHexStringLower(b.Message.Span));
            Assert.Equal(run.Text("key_a"), a.Finish(run.Hex("message_b")).ToString());
            Assert.Equal(run.Text("key_b"), b.Finish(run.Hex("message_a")).ToString());
        }
    }

    [Fact]
    public void Every_judged_message_is_taken_or_refused_as_the_wire_demands()
    {
        var vectors = WormholeVectors.Read("spake2.json");
        var first = vectors.GetProperty("runs")[0];
        foreach (var judged in vectors.GetProperty("judged").EnumerateArray())
        {
            using var run = Spake2.Start(first.Hex("password_a"), System.Text.Encoding.UTF8.GetBytes(first.Text("identity")), first.Hex("entropy_a"));
            var key = run.Finish(judged.Hex("message"));
            var accepted = judged.GetProperty("accepted").GetBoolean() && !RefusedByUs.Contains(judged.Text("name"));
            Assert.True(accepted == key is not null, judged.Text("name"));
            if (accepted) Assert.Equal(judged.Text("key"), key.ToString());
        }
    }

    [Fact]
    public void A_second_message_to_the_same_run_is_our_own_mistake()
    {
        var random = new Prng(1);
        var entropy = new byte[Spake2.EntropyBytes];
        random.Fill(entropy);
        using var run = Spake2.Start("4-x"u8, "app"u8, entropy);
        Assert.Null(run.Finish(new byte[33]));
        Assert.Throws<InvalidOperationException>(() => run.Finish(new byte[33]));
    }

    [Fact]
    public void Any_bytes_are_judged_without_harm()
    {
        var entropy = new byte[Spake2.EntropyBytes];
        var corpus = WormholeVectors.Read("spake2.json").GetProperty("judged").EnumerateArray().Select(judged => judged.Hex("message")).ToArray();
        Fuzz.Run("spake2", corpus, bytes =>
        {
            unchecked { entropy[0]++; }
            entropy[60] = 1;
            using var run = Spake2.Start("7-a"u8, "app"u8, entropy);
            run.Finish(bytes);
        });
    }
}
