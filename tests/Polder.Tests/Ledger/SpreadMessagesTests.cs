using Polder.Ledger.Blocks;
using Polder.Ledger.Messages;
using Polder.Ledger.Stores;
using Polder.Overlay;
using Polder.Wire;

namespace Polder.Tests.Ledger;

/// <summary>Messages 32 to 36, which full nodes spread news with.</summary>
public sealed class SpreadMessagesTests
{
    private static readonly HalfBlock[] Chain = Chains.Of(Chains.Key(1), 4, Chains.Key(2));

    private static byte[] Written<T>(T message, int bytesMax = 8192) where T : struct, IMessage<T>
    {
        var writer = new WireWriter(new byte[bytesMax]);
        message.Write(ref writer);
        return writer.Written.ToArray();
    }

    private static T Read<T>(byte[] bytes) where T : struct, IMessage<T>
    {
        Assert.Equal(WireError.None, Packet.Read<T>(bytes, out var message));
        Fuzz.RefusesEveryTruncation(bytes, static cut => Packet.Read<T>(cut, out _) == WireError.None);
        return message;
    }

    [Fact]
    public void What_is_written_is_read()
    {
        var push = Read<BlockPush>(Written(new BlockPush(3, Chain)));
        Assert.Equal((byte)3, push.Hops);
        Assert.Equal(Chain, push.Blocks);
        foreach (var proposal in (HalfBlock?[])[null, Chain[2]])
        {
            var fraud = Read<FraudPush>(Written(new FraudPush(new FraudProof(FraudKind.DoubleSign, Chain[0], Chain[1]) { Proposal = proposal }))).Proof;
            Assert.Equal((FraudKind.DoubleSign, Chain[0], Chain[1], proposal), (fraud.Kind, fraud.First, fraud.Second, fraud.Proposal));
        }
        Assert.Equal(new NewsRequest(7, 1ul << 40, 9), Read<NewsRequest>(Written(new NewsRequest(7, 1ul << 40, 9))));
        var list = Read<NewsList>(Written(new NewsList(7, 8, 9, [1, ulong.MaxValue], [3])));
        Assert.Equal((7u, 8ul, 9u), (list.Life, list.BlocksTo, list.ProofsTo));
        Assert.Equal([1, ulong.MaxValue], list.Blocks);
        Assert.Equal([3ul], list.Proofs);
        var wanted = Read<NewsWanted>(Written(new NewsWanted([5], [])));
        Assert.Equal([5ul], wanted.Blocks);
        Assert.Empty(wanted.Proofs);
    }

    [Fact]
    public void More_than_may_be_is_refused()
    {
        Assert.NotEqual(WireError.None, Packet.Read<BlockPush>([1, 0], out _));
        Assert.NotEqual(WireError.None, Packet.Read<BlockPush>([1, 5, .. Chain[0].Packed.Span, .. Chain[1].Packed.Span, .. Chain[2].Packed.Span, .. Chain[3].Packed.Span, .. Chain[0].Packed.Span], out _));
        Assert.NotEqual(WireError.None, Packet.Read<NewsWanted>([17, .. new byte[17 * 8], 0], out _));
        Assert.NotEqual(WireError.None, Packet.Read<FraudPush>([1, 2, .. Chain[0].Packed.Span, .. Chain[1].Packed.Span], out _));
        Assert.Throws<InvalidOperationException>(() => Written(new BlockPush(1, [])));
        Assert.Throws<InvalidOperationException>(() => Written(new NewsWanted(new ulong[17], [])));
    }

    private static void Survives<T>() where T : struct, IMessage<T> => Fuzz.Run(typeof(T).Name,
        [
            Written(new BlockPush(3, Chain)), Written(new FraudPush(new FraudProof(FraudKind.DoubleSign, Chain[0], Chain[1]) { Proposal = Chain[2] })),
            Written(new NewsList(7, 8, 9, [1, 2, 3], [4])), Written(new NewsWanted([5, 6], [7])), Written(new NewsRequest(1, 2, 3)),
        ],
        static bytes =>
        {
            if (Packet.Read<T>(bytes, out var message) == WireError.None) Assert.True(bytes.SequenceEqual(Written(message, bytes.Length)));
        }, allocationFactor: 8);

    [Fact] public void BlockPush_survives() => Survives<BlockPush>();
    [Fact] public void FraudPush_survives() => Survives<FraudPush>();
    [Fact] public void NewsRequest_survives() => Survives<NewsRequest>();
    [Fact] public void NewsList_survives() => Survives<NewsList>();
    [Fact] public void NewsWanted_survives() => Survives<NewsWanted>();
}
