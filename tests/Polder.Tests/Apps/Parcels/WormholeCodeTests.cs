using System.Text;
using Polder.Apps.Parcels.Codes;
using Polder.Cryptography;

namespace Polder.Tests.Apps.Parcels;

public sealed class WormholeCodeTests
{
    [Fact]
    public void The_word_lists_are_the_published_ones()
    {
        var vectors = WormholeVectors.Read("codes.json");
        Assert.Equal(vectors.Text("even_sha256"), Hash256.Of(Encoding.ASCII.GetBytes(string.Join('\n', WordList.Even))).ToString());
        Assert.Equal(vectors.Text("odd_sha256"), Hash256.Of(Encoding.ASCII.GetBytes(string.Join('\n', WordList.Odd))).ToString());
        foreach (var sample in vectors.GetProperty("samples").EnumerateObject())
        {
            var value = Convert.FromHexString(sample.Name)[0];
            Assert.Equal(sample.Value[0].GetString(), WordList.Even[value]);
            Assert.Equal(sample.Value[1].GetString(), WordList.Odd[value]);
        }
    }

    [Fact]
    public void The_first_word_of_a_code_has_three_syllables()
    {
        var example = WormholeVectors.Read("codes.json").GetProperty("code_example");
        Assert.Equal(example.Text("code"), WormholeCode.Make("7", Convert.FromHexString(example.Text("words_as_bytes").Replace(" ", ""))).Text);
    }

    [Fact]
    public void Tab_offers_what_the_stock_client_offers()
    {
        foreach (var case_ in WormholeVectors.Read("codes.json").GetProperty("completions").EnumerateArray())
        {
            var answers = CodeCompletion.Words(case_.Text("typed_after_nameplate"), case_.GetProperty("words_wanted").GetInt32());
            Assert.Equal(case_.GetProperty("answers_count").GetInt32(), answers.Count);
            Assert.Equal(case_.GetProperty("answers").EnumerateArray().Select(answer => answer.GetString()!), answers.Take(case_.GetProperty("answers").GetArrayLength()));
        }
    }

    [Fact]
    public void Codes_are_refused_as_the_stock_client_refuses_them_and_foreign_digits_too()
    {
        foreach (var case_ in WormholeVectors.Read("codes.json").GetProperty("checked").EnumerateArray())
        {
            var code = case_.Text("code");
            var taken = case_.GetProperty("error").ValueKind == System.Text.Json.JsonValueKind.Null && !code.StartsWith('٤');
            Assert.True(taken == WormholeCode.TryParse(code, out _, out var problem), code);
            Assert.Equal(taken, problem.Length == 0);
        }
    }

    [Fact]
    public void The_password_is_the_whole_code_in_form_C()
    {
        foreach (var case_ in WormholeVectors.Read("codes.json").GetProperty("normalised").EnumerateArray())
        {
            Assert.True(WormholeCode.TryParse(case_.Text("text"), out var code, out _));
            Assert.Equal(case_.Text("password"), Convert.ToHexStringLower(code.Password));
        }
    }

    [Theory]
    // Examples of Unicode Standard Annex 15 and its test file: marks out of order, blocked marks, exclusions, Hangul.
    [InlineData("a\u0323\u0307", "\u1EA1\u0307")]
    [InlineData("a\u0307\u0323", "\u1EA1\u0307")]
    [InlineData("\u1E9B\u0323", "\u1E9B\u0323")]
    [InlineData("\u0958", "\u0915\u093C")]
    [InlineData("\u2126", "\u03A9")]
    [InlineData("\u1112\u1161\u11AB", "\uD55C")]
    [InlineData("\uD558\u11AB", "\uD55C")]
    [InlineData("s\u0323\u0307", "\u1E69")]
    [InlineData("\u0344", "\u0308\u0301")]
    [InlineData("\u0061\u05AE\u0300", "\u00E0\u05AE")]
    public void Text_is_put_into_form_C(string text, string composed) => Assert.Equal(composed, ComposedForm.Of(text));

    [Theory]
    [InlineData("  7-crossover-clockwork\n", "7-crossover-clockwork", true)]
    [InlineData("7 Crossover  CLOCKWORK", "7-crossover-clockwork", true)]
    [InlineData("7 - crossover - clockwork", "7-crossover-clockwork", true)]
    [InlineData("7-Purple-Clockwork", "7-Purple-clockwork", true)]
    [InlineData("7-crossover-clockwork", "7-crossover-clockwork", false)]
    [InlineData("7--x", "7--x", false)]
    public void A_code_is_tidied_and_that_is_said(string typed, string tidy, bool changed)
    {
        Assert.Equal(tidy, WormholeCode.Tidy(typed, out var done));
        Assert.Equal(changed, done);
    }

    [Fact]
    public void A_code_goes_through_a_link_and_comes_back()
    {
        Assert.True(WormholeCode.TryParse("4-café?x", out var code, out _));
        var link = new WormholeUri(code, "ws://127.0.0.1:4000/v1", ReaderSends: true);
        Assert.Equal("wormhole-transfer:4-caf%C3%A9%3Fx?rendezvous=ws%3A%2F%2F127.0.0.1%3A4000%2Fv1&role=leader", link.ToString());
        Assert.True(WormholeUri.TryParse(link.ToString(), out var read));
        Assert.Equal((code.Text, link.Mailbox, true), (read.Code.Text, read.Mailbox, read.ReaderSends));
        Assert.True(WormholeUri.TryParse("wormhole-transfer:4-x?version=0", out _));
        Assert.False(WormholeUri.TryParse("wormhole-transfer:4-x?version=1", out _));
        Assert.False(WormholeUri.TryParse("wormhole-transfer:4-x?colour=red", out _));
        Assert.False(WormholeUri.TryParse("wormhole:4-x", out _));
    }
}
