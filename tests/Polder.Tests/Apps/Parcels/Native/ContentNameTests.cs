using System.Buffers.Binary;
using System.Security.Cryptography;
using Polder.Apps.Parcels.Native;
using Polder.Cryptography;
using Polder.Runtime;

namespace Polder.Tests.Apps.Parcels.Native;

public sealed class ContentNameTests
{
    [Theory]
    [InlineData(0, 65536, 0)]
    [InlineData(1, 65536, 1)]
    [InlineData(65536, 65536, 1)]
    [InlineData(65537, 65536, 2)]
    [InlineData(1L << 34, 65536, 1 << 18)]
    [InlineData((1L << 34) + 1, 131072, (1 << 17) + 1)]
    [InlineData(1L << 37, 524288, 1 << 18)]
    public void A_leaf_doubles_until_there_are_few_enough(long size, int leaf, int count)
    {
        Assert.Equal(leaf, ContentName.LeafBytesOf(size));
        Assert.Equal(count, ContentName.LeafCountOf(size));
    }

    [Fact]
    public void More_than_fits_into_records_is_no_item() => Assert.Throws<ArgumentOutOfRangeException>(() => ContentName.LeafBytesOf(ContentName.SizeMax + 1));

    [Fact]
    public void The_root_is_that_of_the_definition_for_every_small_count()
    {
        var random = new Prng(8);
        for (var count = 0; count < 70; count++)
        {
            var size = count == 0 ? 0 : (count - 1) * 65536L + 1 + random.Next(65536);
            var leaves = new Hash256[count];
            for (var i = 0; i < count; i++) leaves[i] = Hash256.Of(BitConverter.GetBytes(random.NextUInt64()));
            Assert.Equal(ByDefinition(size, leaves), ContentName.Root(size, leaves));
        }
    }

    [Fact]
    public void An_empty_file_has_the_name_of_the_definition()
    {
        byte[] input = [2, .. new byte[8], 0, 1, 0, 0, .. SHA256.HashData([])];
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(input)), ContentName.Root(0, []).ToString());
    }

    // Level by level, as the specification says it.
    private static Hash256 ByDefinition(long size, Hash256[] leaves)
    {
        List<byte[]> level = [.. leaves.Select(static leaf => leaf.ToArray())];
        if (level.Count == 0) level.Add(SHA256.HashData([]));
        while (level.Count > 1)
        {
            var above = new List<byte[]>();
            for (var i = 0; i < level.Count; i += 2) above.Add(i + 1 < level.Count ? SHA256.HashData([1, .. level[i], .. level[i + 1]]) : level[i]);
            level = above;
        }
        var head = new byte[13];
        head[0] = 2;
        BinaryPrimitives.WriteInt64BigEndian(head.AsSpan(1), size);
        BinaryPrimitives.WriteInt32BigEndian(head.AsSpan(9), 65536);
        return new Hash256(SHA256.HashData([.. head, .. level[0]]));
    }

    [Fact]
    public void Run_lengths_come_back_as_the_same_set()
    {
        var random = new Prng(4);
        for (var round = 0; round < 200; round++)
        {
            var set = new LeafSet(random.Next(300));
            var share = random.Next(101) / 100.0;
            for (var leaf = 0; leaf < set.Count; leaf++)
                if (random.Chance(share)) set.Add(leaf);
            var back = LeafSet.FromRuns(set.Count, set.ToRuns());
            Assert.NotNull(back);
            Assert.Equal(set.Save(), back.Save());
            Assert.Equal(set.Save(), LeafSet.Load(set.Count, set.Save())!.Save());
            Assert.Equal(set.Present, back.Present);
        }
    }

    [Fact]
    public void A_set_that_is_torn_to_pieces_still_fits_into_a_record_and_never_claims_too_much()
    {
        var set = new LeafSet(ContentName.LeavesMax);
        for (var leaf = 0; leaf < set.Count; leaf += 2) set.Add(leaf);
        for (var leaf = 1000; leaf < 2000; leaf++) set.Add(leaf);
        var runs = set.ToRuns();
        Assert.True(runs.Length <= 4 * LeafSet.RunsMax);
        var told = LeafSet.FromRuns(set.Count, runs)!;
        Assert.True(told[1500]);
        for (var leaf = 0; leaf < set.Count; leaf++) Assert.True(set[leaf] || !told[leaf]);
    }

    [Theory]
    [InlineData("00000005")]             // more than there are
    [InlineData("00000003")]             // fewer
    [InlineData("ffffffff00000005")]     // overflows to the right sum
    [InlineData("000000")]               // not whole
    public void Run_lengths_that_do_not_add_up_are_refused(string hex) => Assert.Null(LeafSet.FromRuns(4, Convert.FromHexString(hex)));
}
