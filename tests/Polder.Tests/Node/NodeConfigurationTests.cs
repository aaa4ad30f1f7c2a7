using Polder.Node;
using Polder.Node.Configuration;

namespace Polder.Tests.Node;

public sealed class NodeConfigurationTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private NodeConfiguration Read(string? json = null, Dictionary<string, string>? environment = null, params (string Key, string Value)[] typed)
    {
        if (json is not null) File.WriteAllText(_folder.At("polder.json"), json);
        return NodeConfiguration.Read(
            typed.Append(("data", _folder.Path)).Select(pair => KeyValuePair.Create(pair.Item1, pair.Item2)), environment ?? []);
    }

    private static OptionValue Value(NodeConfiguration configuration, string key) => configuration.Values.Single(value => value.Key == key);

    [Fact]
    public void Later_sources_win_and_every_value_knows_where_it_came_from()
    {
        var configuration = Read(
            """{ "port": 9000, "page": 9001, "overlay": { "peersMax": 50, "stepInterval": "250ms" }, "join": ["127.0.0.1:1", "localhost:2"] } // mine""",
            new() { ["POLDER_PAGE"] = "9002", ["POLDER_OVERLAY_PEERS_MAX"] = "60", ["HOME"] = "/" },
            ("overlay.peersMax", "70"));
        Assert.Equal((9000, 9002, 70), (configuration.Options.Port, configuration.Options.Page, configuration.Options.Overlay.PeersMax));
        Assert.Equal(["127.0.0.1:1", "localhost:2"], configuration.Options.Join);
        Assert.Equal(TimeSpan.FromMilliseconds(250), configuration.Options.Overlay.StepInterval);
        Assert.Equal("polder.json", Value(configuration, "port").Source);
        Assert.Equal("environment POLDER_PAGE", Value(configuration, "page").Source);
        Assert.Equal("command line", Value(configuration, "overlay.peersMax").Source);
        Assert.Equal("default", Value(configuration, "lan").Source);
        Assert.Equal("250ms", Value(configuration, "overlay.stepInterval").Value);
    }

    [Fact]
    public void An_unknown_key_names_the_nearest()
    {
        Assert.Contains("Did you mean \"port\"?", Assert.Throws<NodeStartException>(() => Read("""{ "prot": 1 }""")).Message, StringComparison.Ordinal);
        Assert.Contains("\"overlay.peersMax\"?", Assert.Throws<NodeStartException>(() => Read("""{ "overlay": { "peerMax": 1 } }""")).Message, StringComparison.Ordinal);
        File.Delete(_folder.At("polder.json"));
        Assert.Contains("POLDER_LOOPBACK?", Assert.Throws<NodeStartException>(() => Read(null, new() { ["POLDER_LOPBACK"] = "1" })).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("port", "65536", "0 to 65535")]
    [InlineData("port", "many", "whole number")]
    [InlineData("loopback", "perhaps", "true or false")]
    [InlineData("overlay.stepInterval", "5", "duration")]
    [InlineData("overlay.stepInterval", "1ms", "at least 10 ms")]
    [InlineData("join", "256.0.0.1:80", "neither an address nor a name")]
    [InlineData("join", "localhost", "is no address")]
    [InlineData("join", "localhost:99999", "is no address")]
    [InlineData("join", "http://localhost:80", "neither an address nor a name")]
    [InlineData("passphrase", "x", "POLDER_PASSPHRASE only")]
    public void A_bad_value_is_refused_in_words(string key, string value, string words) =>
        Assert.Contains(words, Assert.Throws<NodeStartException>(() => Read(null, null, (key, value))).Message, StringComparison.Ordinal);

    [Fact]
    public void Bad_json_names_the_line()
    {
        var problem = Assert.Throws<NodeStartException>(() => Read("{\n \"port\": 1\n \"page\": 2 }"));
        Assert.Contains("line 3", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_passphrase_is_read_and_shown_nowhere()
    {
        var configuration = Read(null, new() { ["POLDER_PASSPHRASE"] = "planted-marker" });
        Assert.Equal("planted-marker", configuration.Options.Passphrase);
        Assert.DoesNotContain("planted-marker", configuration.Options.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain(configuration.Values, value => value.Value.Contains("planted-marker", StringComparison.Ordinal));
    }
}
