using System.Text.Json;
using Polder.Apps.Chat.PeerChat;
using Polder.Overlay;
using Polder.Tests.Architecture;
using Polder.Tests.Overlay;

namespace Polder.Tests.Apps.Chat;

/// <summary>PeerChat and EVA as the SuperApp's own classes write them.</summary>
public sealed class PeerChatVectorTests
{
    private static readonly JsonElement Payloads = Load("superapp_payloads.json"), Eva = Load("kotlin_eva.json");

    private static JsonElement Load(string file) => JsonDocument.Parse(File.ReadAllText(Repository.PathOf("tests", "vectors", "kotlin", file))).RootElement;

    private static byte[] Of(JsonElement vectors, string name) => vectors.GetProperty("payloads").Named(name).Hex("payload");

    [Fact]
    public void Texts_are_read_and_written_as_the_SuperApp_does()
    {
        var plain = Of(Payloads, "PeerChat message (1), plain");
        Assert.True(PeerChatText.TryRead(plain, out var text));
        Assert.Equal(("hello", "", 0L), (text.Text, text.AttachmentType, text.AttachmentSize));
        Assert.Equal(plain, PeerChatText.Of(text.Name, "hello").Write());
        Fuzz.RefusesEveryTruncation(plain, static cut => PeerChatText.TryRead(cut, out _));
        var image = Of(Payloads, "PeerChat message (1), image");
        Assert.True(PeerChatText.TryRead(image, out var picture));
        Assert.Equal(("image", 1234L, 32), (picture.AttachmentType, picture.AttachmentSize, picture.Attachment.Length));
        Assert.Equal(image, picture.Write());
    }

    [Fact]
    public void Acknowledgements_requests_and_files_too()
    {
        var ack = Of(Payloads, "PeerChat ack (2)");
        Assert.Equal(Polder.Wire.WireError.None, Packet.Read<PeerChatAck>(ack, out var read));
        Assert.Equal(36, read.Name.Length);
        var request = Of(Payloads, "PeerChat attachment request (3)");
        Assert.Equal(Polder.Wire.WireError.None, Packet.Read<PeerChatFileRequest>(request, out var wanted));
        Assert.Equal(64, wanted.Hash.Length);
        var file = Of(Payloads, "PeerChat attachment (4)");
        Assert.True(PeerChatFile.TryRead(file, out var brought));
        Assert.Equal([1, 2, 3], brought.Bytes.ToArray());
        Assert.Equal(file, brought.Write());
        Fuzz.RefusesEveryTruncation(file, static cut => PeerChatFile.TryRead(cut, out _));
    }

    [Fact]
    public void Eva_is_read_and_written_as_kotlin_does()
    {
        var write = Of(Eva, "write request (130)");
        Assert.True(EvaWriteRequest.TryRead(write, out var request));
        Assert.Equal(("eva_peerchat_attachment", "id-1", 100_000ul, 167u, 600u, 80u), (request.Info, request.Name, request.Size, request.Blocks, request.BlockBytes, request.Window));
        Assert.True(request.IsSensible);
        Assert.Equal(write, request.Write());
        foreach (var name in (string[])["acknowledgement (131), window 0", "acknowledgement (131), window 2"])
        {
            Assert.True(EvaAcknowledgement.TryRead(Of(Eva, name), out var acknowledgement));
            Assert.Equal(Of(Eva, name), acknowledgement.Write());
            if (acknowledgement.Window == 2) Assert.Equal([3u, 258u], acknowledgement.Missing);
        }
        Assert.True(EvaData.TryRead(Of(Eva, "data (132)"), out var data));
        Assert.Equal(5u, data.Block);
        Assert.Equal(Of(Eva, "data (132)"), data.Write());
        Assert.True(EvaError.TryRead(Of(Eva, "error (133)"), out var error));
        Assert.Equal("boom", error.Message);
        Assert.Equal(Of(Eva, "error (133)"), error.Write());
        Assert.Equal(600, EvaLimits.BlockBytes);
        Assert.Equal(EvaLimits.Window, Eva.GetProperty("constants").GetProperty("window_size").GetInt32());
    }

    [Theory]
    [InlineData(100_000, 0.0, 1)]
    [InlineData(601, 0.2, 2)]
    [InlineData(1, 0.0, 3)]
    [InlineData(123_457, 0.15, 4)]
    public void A_transfer_arrives_whole_under_loss(int size, double loss, ulong seed)
    {
        var random = new Polder.Runtime.Prng(seed);
        var bytes = new byte[size];
        random.Fill(bytes);
        var now = TimeSpan.Zero;
        var sender = new EvaSender("info", "id", bytes, 7, now);
        var receiver = new EvaReceiver(sender.Request, now);
        var open = new Queue<EvaData>(sender.Take(receiver.Acknowledgement, now));
        for (var steps = 0; !sender.IsDone && steps < 100_000; steps++)
        {
            EvaAcknowledgement? said;
            if (open.TryDequeue(out var block)) said = random.Chance(loss) ? null : receiver.Take(block, now);
            else
            {
                now += TimeSpan.FromSeconds(2.1);
                if (receiver.IsDone) said = receiver.Acknowledgement;
                else Assert.True(receiver.Tick(now, out said));
            }
            if (said is not null) foreach (var next in sender.Take(said, now)) open.Enqueue(next);
        }
        Assert.True(receiver.IsDone && sender.IsDone);
        Assert.Equal(bytes, receiver.Bytes);
    }

    [Fact]
    public void Blocks_that_were_not_announced_are_not_taken()
    {
        var receiver = new EvaReceiver(new EvaWriteRequest("i", "n", 1, 1000, 2, 600, 80), default);
        Assert.Null(receiver.Take(new EvaData(2, 1, new byte[600]), default));
        Assert.Null(receiver.Take(new EvaData(0, 1, new byte[10]), default));
        Assert.Null(receiver.Take(new EvaData(0, 2, new byte[600]), default));
        Assert.False(new EvaWriteRequest("i", "n", 1, ulong.MaxValue, 2, 600, 80).IsSensible);
        Assert.False(new EvaWriteRequest("i", "n", 1, 1000, 7, 600, 80).IsSensible);
    }

    [Fact]
    public void Nothing_of_a_stranger_throws()
    {
        byte[][] corpus = [.. Payloads.GetProperty("payloads").EnumerateArray().Concat(Eva.GetProperty("payloads").EnumerateArray()).Select(static one => one.Hex("payload"))];
        Fuzz.Run("peerchat and eva", corpus, static bytes =>
        {
            _ = PeerChatText.TryRead(bytes, out _);
            _ = PeerChatFile.TryRead(bytes.ToArray(), out _);
            if (EvaWriteRequest.TryRead(bytes, out var request)) _ = request.IsSensible;
            _ = EvaAcknowledgement.TryRead(bytes, out _);
            _ = EvaData.TryRead(bytes, out _);
            _ = EvaError.TryRead(bytes, out _);
        }, 8);
    }
}
