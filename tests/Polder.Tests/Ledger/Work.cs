using System.Globalization;
using Polder.Cryptography;
using Polder.Identity;
using Polder.Ledger.Blocks;
using Polder.Ledger.Stores;
using Polder.Runtime;

namespace Polder.Tests.Ledger;

/// <summary>Makes records of help for tests, and reads them back.</summary>
internal static class Work
{
    /// <summary>One gives these amounts to the other: a chain of proposals and a chain of agreements that mirror them.</summary>
    public static (HalfBlock[] Proposals, HalfBlock[] Agreements) Records(KeyPair giver, KeyPair taker, IReadOnlyList<long> amounts)
    {
        var (proposals, agreements) = (new HalfBlock[amounts.Count], new HalfBlock[amounts.Count]);
        var total = 0L;
        for (var i = 0; i < amounts.Count; i++)
        {
            total += amounts[i];
            proposals[i] = Chains.Block(giver, (uint)i + 1, taker.Public.Bytes, 0, i == 0 ? HalfBlock.GenesisHash : proposals[i - 1].Hash,
                1_700_000_000_000 + (ulong)i, "tribler_bandwidth", Transaction(amounts[i], 0, total, 0));
            agreements[i] = Chains.Block(taker, (uint)i + 1, giver.Public.Bytes, (uint)i + 1, i == 0 ? HalfBlock.GenesisHash : agreements[i - 1].Hash,
                1_700_000_000_001 + (ulong)i, "tribler_bandwidth", Transaction(0, amounts[i], 0, total));
        }
        return (proposals, agreements);
    }

    /// <summary>The transaction of a bandwidth block as AnyDex writes it.</summary>
    public static string Transaction(long up, long down, long? totalUp = null, long? totalDown = null) =>
        string.Create(CultureInfo.InvariantCulture, $"{{\"up\":{up},\"down\":{down},\"total_up\":{totalUp ?? up},\"total_down\":{totalDown ?? down}}}");

    /// <summary>Proposals and agreements of a few in wild order, some unanswered, some answered wrongly or twice, some in other units.</summary>
    public static IEnumerable<HalfBlock> Tangle(Prng random, KeyPair[] people, int records)
    {
        var lengths = new uint[people.Length];
        var blocks = new List<HalfBlock>();
        for (var i = 0; i < records; i++)
        {
            var proposer = random.Next(people.Length);
            var answerer = (proposer + 1 + random.Next(people.Length - 1)) % people.Length;
            var (up, down) = (random.Next(5), random.Next(5));
            var isHours = random.Chance(0.2);
            var time = 1_700_000_000_000 + ((ulong)random.Next(6) * 86_400_000);
            var number = ++lengths[proposer];
            var says = isHours ? Hours(true, up + 1) : random.Chance(0.3) ? Plain(up, down) : Transaction(up, down);
            blocks.Add(Chains.Block(people[proposer], number, people[answerer].Public.Bytes, 0, Hash256.Of([(byte)i]), time, isHours ? "polder_help" : "tribler_bandwidth", says));
            for (var answers = random.Next(10) is var dice && dice == 0 ? 0 : dice == 1 ? 2 : 1; answers > 0; answers--)
            {
                var wrong = random.Chance(0.1) ? 1 : 0;
                var copy = random.Chance(0.3);
                var reply = isHours ? Hours(true, up + 1 + wrong) : copy ? Transaction(up + wrong, down) : Transaction(down + wrong, up);
                blocks.Add(Chains.Block(people[answerer], ++lengths[answerer], people[proposer].Public.Bytes, number, Hash256.Of([(byte)i, 1]), time + 1,
                    isHours ? "polder_help" : "tribler_bandwidth", reply));
            }
        }
        for (var i = blocks.Count - 1; i > 0; i--)
            if (random.Chance(0.5))
            {
                var other = random.Next(i + 1);
                (blocks[i], blocks[other]) = (blocks[other], blocks[i]);
            }
        return blocks;
    }

    /// <summary>The records of a unit with the keys behind the numbers.</summary>
    public static List<(string Contributor, string Consumer, long Amount)> Of(IBlockStore store, string unit)
    {
        var work = new List<AgreedWork>();
        store.ReadWork(unit, records => work.AddRange(records));
        var keys = store.WorkKeys().ToDictionary(static key => key.Number, static key => Convert.ToHexStringLower(key.Key.Span));
        return work.ConvertAll(record => (keys[record.Contributor], keys[record.Consumer], record.Amount));
    }

    private static string Plain(long up, long down) =>
        string.Create(CultureInfo.InvariantCulture, $"a4d2sup1i{up}4sdown1i{down}8stotal_up1i{up}10stotal_down1i{down}");

    private static string Hours(bool gave, long amount) =>
        string.Create(CultureInfo.InvariantCulture, $"a4d4sgave0{(gave ? 'T' : 'F')}6samount{amount.ToString(CultureInfo.InvariantCulture).Length}i{amount}4sunit5shours3sfor0s");
}
