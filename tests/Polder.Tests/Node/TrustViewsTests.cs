using System.Text;
using Polder.Cryptography;
using Polder.Identity;
using Polder.Ledger.Blocks;
using Polder.Ledger.Records;
using Polder.Ledger.Reputation;
using Polder.Ledger.Stores;
using Polder.Ledger.Validation;
using Polder.Node.Operations;
using Polder.Tests.Ledger;

namespace Polder.Tests.Node;

public sealed class TrustViewsTests
{
    private readonly KeyPair _me = Chains.Key(1), _between = Chains.Key(2), _far = Chains.Key(3), _stranger = Chains.Key(4);
    private readonly MemoryBlockStore _store = new();
    private readonly WorkGraphs _graphs;
    private readonly TrustViews _views;
    private readonly Dictionary<KeyPair, (uint Length, Hash256 Tip)> _chains = [];

    public TrustViewsTests()
    {
        _graphs = new WorkGraphs(_me.Public);
        var ledger = new LedgerViews(_store, new BlockValidator(Ed25519Signatures.Instance));
        _views = new TrustViews(_store, _graphs, _me.Public, ledger.Fraud, TimeProvider.System, key => key == _between.Public ? 1 : null);
        Help(_between, _me, 5, "mending a roof");
        Help(_between, _me, 3, "mending a door");
        Help(_far, _between, 20, "teaching");
        Help(_me, _far, 4, "cooking");
    }

    [Fact]
    public void A_way_over_somebody_opens_down_to_its_blocks()
    {
        var why = _views.Why(_far.Public, null, null);
        Assert.Equal(6, why.Trust.Score);
        var path = Assert.Single(why.Paths);
        // The one in between got something from whom I had served, which lowers what may pass over it to 6.
        Assert.Equal((20.0, 8.0, 6.0, 1, 2), (path.First, path.Second, path.Flow, path.FirstRecords, path.SecondRecords));
        Assert.Equal("teaching", Assert.Single(path.FirstBehind!).For);
        Assert.Equal(["mending a door", "mending a roof"], path.SecondBehind!.Select(record => record.For));
        Assert.Equal(2, why.Records.Count);
        Assert.Contains("gave you nothing itself, but 6 hours of its help reached you through " + _between.Public.ShortName, why.InWords, StringComparison.Ordinal);
        Assert.Contains("All of it counts", why.InWords, StringComparison.Ordinal);
        Assert.Equal(2, why.Standing!.Took);
        Assert.Contains("it would be served", why.Standing.Service, StringComparison.Ordinal);
        // Every word that names a block leads to one that is held.
        foreach (var record in why.Records.Concat(path.FirstBehind!).Concat(path.SecondBehind!))
            foreach (var id in (string[])[record.Proposal, record.Agreement])
                Assert.NotNull(_store.Get(Convert.FromHexString(id.Split('.')[0]), uint.Parse(id.Split('.')[1], System.Globalization.CultureInfo.InvariantCulture)));
    }

    [Fact]
    public void Every_kind_ranks_and_an_unknown_one_is_refused()
    {
        foreach (var kind in TrustKind.All)
        {
            var rows = _views.Trust(null, "hours", kind.Name, 10);
            Assert.Equal(2, rows.Count);
            Assert.All(rows, row => Assert.Equal(kind.Name, row.By));
            Assert.True(rows[0].Score >= rows[1].Score);
            Assert.NotEmpty(_views.Why(_far.Public, "hours", kind.Name).InWords);
        }
        var problem = Assert.Throws<OperationRefusedException>(() => _views.Trust(null, null, "karma", 10));
        Assert.Contains("netflow2, meritrank", problem.Message, StringComparison.Ordinal);
        Assert.Equal(0, Assert.Single(_views.Trust(_stranger.Public, null, null, 10)).Score);
    }

    [Fact]
    public void A_cheater_is_called_one_with_the_proof()
    {
        var (one, two) = (Chains.Block(_between, 9, _me.Public.Bytes, 0, HalfBlock.GenesisHash), Chains.Block(_between, 9, _far.Public.Bytes, 0, HalfBlock.GenesisHash));
        _store.AddFraud(new FraudProof(FraudKind.DoubleSign, one, two));
        _graphs.Remove(_between.Public.Bytes);
        var why = _views.Why(_between.Public, null, null);
        Assert.Equal((0.0, true), (why.Trust.Score, why.Trust.Cheater));
        Assert.Contains("is a proven cheater: it signed two different blocks with the number 9", why.InWords, StringComparison.Ordinal);
        Assert.Equal(one.Hash.ToString(), why.Fraud!.First.Hash);
        // What went through it no longer does.
        Assert.Equal(0, _views.Why(_far.Public, "hours", null).Trust.Score);
        Assert.DoesNotContain(_views.Trust(null, null, null, 10), row => row.PublicKey == _between.Public.ToString());
    }

    private void Help(KeyPair giver, KeyPair taker, long hours, string what)
    {
        var words = Encoding.UTF8.GetString(HelpRecords.EncodeHelp(gave: true, hours, "hours", what));
        var proposal = Sign(giver, taker, 0, words);
        Sign(taker, giver, proposal.Sequence, words);
    }

    private HalfBlock Sign(KeyPair signer, KeyPair other, uint linked, string words)
    {
        var (length, tip) = _chains.GetValueOrDefault(signer, (0u, HalfBlock.GenesisHash));
        var block = Chains.Block(signer, length + 1, other.Public.Bytes, linked, tip, 1_700_000_000_000ul + length, "polder_help", words);
        _chains[signer] = (length + 1, block.Hash);
        _store.Add(block);
        _graphs.Add(block);
        return block;
    }
}
