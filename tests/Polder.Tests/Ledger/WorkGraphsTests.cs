using System.Text;
using Polder.Identity;
using Polder.Ledger.Blocks;
using Polder.Ledger.Records;
using Polder.Ledger.Reputation;
using Polder.Ledger.Stores;
using Polder.Runtime;

namespace Polder.Tests.Ledger;

public sealed class WorkGraphsTests
{
    [Fact]
    public void A_store_in_bulk_makes_the_same_graphs_as_its_blocks_one_by_one_and_later_halves_find_theirs()
    {
        var people = Enumerable.Range(1, 6).Select(i => Chains.Key((ulong)i)).ToArray();
        var random = new Prng(11);
        var lengths = new uint[people.Length];
        var tips = people.Select(_ => HalfBlock.GenesisHash).ToArray();
        var blocks = new List<HalfBlock>();
        for (var n = 0; n < 150; n++)
        {
            var (a, b) = (random.Next(people.Length), random.Next(people.Length));
            if (a == b) continue;
            var help = Encoding.UTF8.GetString(HelpRecords.EncodeHelp(random.Chance(0.5), 1 + random.Next(100), n % 3 == 0 ? "hours" : "answers", "a hand"));
            var proposal = Chains.Block(people[a], ++lengths[a], people[b].Public.Bytes, 0, tips[a], type: "polder_help", transaction: help);
            tips[a] = proposal.Hash;
            blocks.Add(proposal);
            if (n % 10 == 9) continue;
            var agreement = Chains.Block(people[b], ++lengths[b], people[a].Public.Bytes, proposal.Sequence, tips[b], type: "polder_help", transaction: help);
            tips[b] = agreement.Hash;
            blocks.Add(agreement);
        }
        var store = new MemoryBlockStore();
        var (plain, bulk) = (new WorkGraphs(people[0].Public), new WorkGraphs(people[0].Public));
        // Whoever was proven a cheater before the start is in neither.
        plain.Remove(people[5].Public.Bytes);
        bulk.Remove(people[5].Public.Bytes);
        var early = blocks.Take(blocks.Count * 2 / 3).ToList();
        foreach (var block in early)
        {
            store.Add(block);
            plain.Add(block);
        }
        bulk.Load(store);
        AssertSame();
        // Later halves may answer what was there before, come twice, and in any order.
        var late = blocks.Skip(early.Count).ToArray();
        new Prng(4).Shuffle(late.AsSpan());
        foreach (var block in late.Concat(late))
        {
            store.Add(block);
            plain.Add(block);
            bulk.Add(block);
        }
        AssertSame();

        void AssertSame()
        {
            Assert.Equal(plain.Units, bulk.Units);
            foreach (var unit in plain.Units)
            {
                foreach (var person in people)
                {
                    // Claims that nobody confirmed are not among what a store gives in bulk.
                    Assert.Equal(plain.Find(unit)!.SumsOf(person.Public) with { Unconfirmed = 0 }, bulk.Find(unit)!.SumsOf(person.Public) with { Unconfirmed = 0 });
                    foreach (var other in people) Assert.Equal(plain.Find(unit)!.Work(person.Public, other.Public), bulk.Find(unit)!.Work(person.Public, other.Public));
                }
            }
        }
    }

    [Fact]
    public void The_records_behind_a_score_are_found_again_in_the_store()
    {
        var (alice, bob) = (Chains.Key(1), Chains.Key(2));
        var store = new MemoryBlockStore();
        var graphs = new WorkGraphs(alice.Public);
        var previous = (Alice: HalfBlock.GenesisHash, Bob: HalfBlock.GenesisHash);
        for (var n = 1u; n <= 30; n++)
        {
            var help = Encoding.UTF8.GetString(HelpRecords.EncodeHelp(gave: n % 2 == 0, n, "hours", "a hand"));
            var proposal = Chains.Block(alice, n, bob.Public.Bytes, 0, previous.Alice, 1000 + n, "polder_help", help);
            var agreement = Chains.Block(bob, n, alice.Public.Bytes, n, previous.Bob, 1000 + n, "polder_help", help);
            previous = (proposal.Hash, agreement.Hash);
            foreach (var block in (HalfBlock[])[proposal, .. n == 30 ? Array.Empty<HalfBlock>() : [agreement]])
            {
                store.Add(block);
                graphs.Add(block);
            }
        }
        foreach (var owner in (PublicKey[])[alice.Public, bob.Public])
        {
            var records = RecordTrail.Of(store, owner, "hours", out var isWhole);
            Assert.True(isWhole);
            Assert.Equal(29, records.Count);
            Assert.Equal(29u, records[0].ProposalSequence);
            Assert.Equal(graphs.Find("hours")!.Work(alice.Public, bob.Public), records.Where(record => record.Contributor == alice.Public).Sum(record => record.Amount));
            Assert.Equal(graphs.Find("hours")!.Work(bob.Public, alice.Public), records.Where(record => record.Contributor == bob.Public).Sum(record => record.Amount));
            Assert.Empty(RecordTrail.Of(store, owner, "bytes", out _));
        }
    }
}
