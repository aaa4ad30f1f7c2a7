using System.Text.Json;
using Polder.Overlay;
using Polder.Overlay.Discovery;
using Polder.Overlay.Packets;
using Polder.Wire;
using static Polder.Tests.Overlay.Vectors;

namespace Polder.Tests.Overlay;

/// <summary>The Discovery messages of py-ipv8 3.2, byte for byte both ways.</summary>
public sealed class DiscoveryVectorTests
{
    private static readonly JsonElement Messages = Vectors.Discovery.GetProperty("messages");
    private static readonly CommunityId Demo = CommunityId.FromHex("02313685c1912a141279f8248fc8db5899c5df5a");

    [Fact]
    public void The_id_is_the_one_that_everybody_uses() =>
        Assert.Equal(Vectors.Discovery.GetProperty("community_id").GetString(), DiscoveryCommunity.Id.ToString());

    [Fact]
    public void Similarity_is_written_and_read_as_py_does()
    {
        CommunityId[] overlays = [DiscoveryCommunity.Id, Demo];
        var request = new SimilarityRequest(42, Address("192.168.1.5:8090"), Address("203.0.113.7:8090"), 0, overlays);
        IntroductionVectorTests.Same("alice", Messages.Named("similarity-request"), 42, request, DiscoveryCommunity.Id);
        IntroductionVectorTests.Same(
            "bob", Messages.Named("similarity-response (2)"), 42, new SimilarityResponse(42, overlays), DiscoveryCommunity.Id);
    }

    [Fact]
    public void The_historic_overlap_list_is_read_over()
    {
        var payload = Messages.Named("similarity-response payload").Hex("payload");
        Assert.Equal(WireError.None, Packet.Read<SimilarityResponse>(payload, out var response));
        Assert.Equal(7, response.Identifier);
        Assert.Equal([Demo], response.Overlays);
    }

    [Fact]
    public void Ping_and_pong_are_written_and_read_as_py_does()
    {
        IntroductionVectorTests.SameUnsigned(Messages.Named("ping"), 42, new Ping(42), DiscoveryCommunity.Id);
        IntroductionVectorTests.SameUnsigned(Messages.Named("pong"), 42, new Pong(42), DiscoveryCommunity.Id);
    }

    [Fact]
    public void A_request_of_2014_is_read_behind_its_old_beginning()
    {
        Assert.Equal(WireError.None, Packet.CutSigned(Messages.Named("introduction-request (246) of 2014").Hex("packet"), MessageForm.GlobalTime, out var cut));
        Assert.Equal(WireError.None, Packet.Read<IntroductionRequest>(DiscoveryCommunity.WithoutHistory(cut.Fields), out var request));
        Assert.Equal(Address("198.51.100.9:7759"), request.Destination);
        Assert.Equal(42, request.Identifier);
    }

    [Fact]
    public void A_request_with_24_extra_bytes_which_py_misreads_is_read_as_it_was_meant()
    {
        Assert.Equal(WireError.None, Packet.CutSigned(Messages.Named("pitfall").Hex("packet"), MessageForm.GlobalTime, out var cut));
        Assert.Equal(WireError.None, Packet.Read<IntroductionRequest>(DiscoveryCommunity.WithoutHistory(cut.Fields), out var request));
        Assert.Equal(Address("198.51.100.9:7759"), request.Destination);
        Assert.Equal(24, request.Extra.Length);
    }
}
