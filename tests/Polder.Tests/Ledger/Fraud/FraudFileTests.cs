using System.Text;
using Polder.Cryptography;
using Polder.Identity;
using Polder.Ledger.Blocks;
using Polder.Ledger.Fraud;
using Polder.Ledger.Stores;
using Polder.Node.Operations;

namespace Polder.Tests.Ledger.Fraud;

/// <summary>A proof of fraud as a file: what is true is proven anywhere, and whatever else a file may be is refused with the reason.</summary>
public sealed class FraudFileTests
{
    private static readonly KeyPair Mallory = Chains.Key(1), Alice = Chains.Key(2), Bob = Chains.Key(3);
    private static readonly HalfBlock One = Chains.Block(Mallory, 4, Alice.Public.Bytes, 0, Chains.Of(Mallory, 3, Alice)[2].Hash);
    private static readonly HalfBlock Other = Chains.Block(Mallory, 4, Bob.Public.Bytes, 0, Chains.Of(Mallory, 3, Alice)[2].Hash);
    private static readonly HalfBlock Asked = Chains.Block(Alice, 1, Mallory.Public.Bytes, 0, HalfBlock.GenesisHash);
    private static readonly HalfBlock Once = Chains.Block(Mallory, 1, Alice.Public.Bytes, 1, HalfBlock.GenesisHash);
    private static readonly HalfBlock Twice = Chains.Block(Mallory, 2, Alice.Public.Bytes, 1, Once.Hash);

    private static FraudProof Double { get; } = new(FraudKind.DoubleSign, One, Other);
    private static FraudProof Countersign { get; } = new(FraudKind.DoubleCountersign, Once, Twice) { Proposal = Asked };

    private static FraudFault FaultOf(FraudProof proof) => FraudRules.FaultOf(proof, Ed25519Signatures.Instance);

    private static string TextOf(FraudProof proof) => Encoding.UTF8.GetString(FraudFile.Write(proof));

    private static string ErrorOf(string text)
    {
        var view = FraudViews.Check(Encoding.UTF8.GetBytes(text));
        Assert.False(view.Proven);
        return view.Verdict;
    }

    private static HalfBlock Damaged(HalfBlock block)
    {
        var packed = block.Packed.ToArray();
        packed[^1] ^= 1;
        return HalfBlock.TryUnpack(packed, out var damaged) ? damaged : throw new InvalidOperationException();
    }

    [Fact]
    public void Both_kinds_are_proven_by_their_file_alone()
    {
        foreach (var proof in (FraudProof[])[Double, Countersign])
        {
            Assert.True(FraudFile.TryRead(FraudFile.Write(proof), out var read, out var error), error);
            Assert.Equal((proof.Kind, proof.First, proof.Second, proof.Proposal), (read.Kind, read.First, read.Second, read.Proposal));
            var view = FraudViews.Check(FraudFile.Write(proof));
            Assert.True(view.Proven, view.Verdict);
            Assert.StartsWith("Proven.", view.Verdict, StringComparison.Ordinal);
            Assert.Equal(Mallory.Public.ToString(), view.Fraud!.Culprit.PublicKey);
        }
    }

    [Fact]
    public void What_proves_nothing_says_why()
    {
        Assert.Equal(FraudFault.SameBlock, FaultOf(Double with { Second = One }));
        Assert.Equal(FraudFault.DifferentOwners, FaultOf(Double with { Second = Asked }));
        Assert.Equal(FraudFault.DifferentNumbers, FaultOf(Double with { Second = Chains.Of(Mallory, 3, Alice)[2] }));
        Assert.Equal(FraudFault.BadFirstSignature, FaultOf(Double with { First = Damaged(One) }));
        Assert.Equal(FraudFault.BadSecondSignature, FaultOf(Double with { Second = Damaged(Other) }));
        Assert.Equal(FraudFault.UnknownKind, FaultOf(Double with { Kind = (FraudKind)9 }));
        Assert.Equal(FraudFault.NoAgreement, FaultOf(Countersign with { Second = One }));
        Assert.Equal(FraudFault.OneNumber, FaultOf(Countersign with { Second = Chains.Block(Mallory, 1, Alice.Public.Bytes, 1, HalfBlock.GenesisHash, 5) }));
        Assert.Equal(FraudFault.DifferentProposals, FaultOf(Countersign with { Second = Chains.Block(Mallory, 2, Alice.Public.Bytes, 7, Once.Hash) }));
        Assert.Equal(FraudFault.NoProposal, FaultOf(Countersign with { Proposal = null }));
        Assert.Equal(FraudFault.WrongProposal, FaultOf(Countersign with { Proposal = Chains.Block(Alice, 2, Mallory.Public.Bytes, 0, Asked.Hash) }));
        // Anybody may agree to an offer to anybody as often as he likes.
        Assert.Equal(FraudFault.ProposalToOthers, FaultOf(Countersign with { Proposal = Chains.Block(Alice, 1, HalfBlock.AnyCounterparty, 0, HalfBlock.GenesisHash) }));
        Assert.Equal(FraudFault.BadProposalSignature, FaultOf(Countersign with { Proposal = Damaged(Asked) }));
        foreach (var fault in Enum.GetValues<FraudFault>()) Assert.False(string.IsNullOrWhiteSpace(FraudRules.Words(fault)));
    }

    [Theory]
    [InlineData("", "it is empty")]
    [InlineData("\n  ", "it is empty")]
    [InlineData("\u0001\u0002\u0003", "no JSON")]
    [InlineData("[1, 2]", "\"format\" is missing")]
    [InlineData("{\"format\": 3}", "\"format\" is missing")]
    [InlineData("{\"format\": \"polder-backup\"}", "its format is \"polder-backup\"")]
    [InlineData("{\"format\": \"polder-fraud\"}", "version is missing")]
    [InlineData("{\"format\": \"polder-fraud\", \"version\": 2}", "version 2, and this program reads version 1")]
    [InlineData("{\"format\": \"polder-fraud\", \"version\": 1}", "of what kind")]
    [InlineData("{\"format\": \"polder-fraud\", \"version\": 1, \"kind\": \"double-dating\"}", "\"double-dating\", a kind that this program does not know")]
    [InlineData("{\"format\": \"polder-fraud\", \"version\": 1, \"kind\": \"double-sign\"}", "\"first\" block is missing")]
    [InlineData("{\"format\": \"polder-fraud\", \"version\": 1, \"kind\": \"double-sign\", \"first\": \"xyz1\"}", "is no hex")]
    [InlineData("{\"format\": \"polder-fraud\", \"version\": 1, \"kind\": \"double-sign\", \"first\": \"4c69\"}", "are no block")]
    public void Every_other_file_is_refused_with_its_reason(string text, string reason) => Assert.Contains(reason, ErrorOf(text), StringComparison.Ordinal);

    [Fact]
    public void Files_that_were_tampered_with_are_refused_with_their_reason()
    {
        Assert.Contains("signature of the second block", ErrorOf(TextOf(Double with { Second = Damaged(Other) })), StringComparison.Ordinal);
        Assert.Contains("both blocks are the same", ErrorOf(TextOf(Double with { Second = One })), StringComparison.Ordinal);
        Assert.Contains("accuses another key", ErrorOf(TextOf(Double).Replace($"\"culprit\": \"{Mallory.Public}\"", $"\"culprit\": \"{Alice.Public}\"", StringComparison.Ordinal)), StringComparison.Ordinal);
        // Two agreements that are shown as a double sign: they have two numbers, as a chain has.
        Assert.Contains("different numbers", ErrorOf(TextOf(Countersign).Replace("double-countersign", "double-sign", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.Contains("cut off", ErrorOf(TextOf(Double)[..^30]), StringComparison.Ordinal);
        Assert.Contains("larger than a proof", ErrorOf(new string(' ', FraudFile.BytesMax + 1)), StringComparison.Ordinal);
        Assert.Contains("larger than any block", ErrorOf(TextOf(Double).Replace("\"first\": \"", "\"first\": \"" + new string('0', 70_000), StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => FraudFile.Write(Countersign with { Proposal = null }));
    }

    [Fact]
    public void A_block_that_claims_to_be_larger_than_anything_is_refused_with_its_reason()
    {
        // Its type says 2^32 - 1 bytes, and its amount is 2^63.
        var packed = One.Packed.ToArray();
        packed.AsSpan(252, 4).Fill(0xFF);
        var claims = TextOf(Double).Replace(Convert.ToHexStringLower(One.Packed.Span), Convert.ToHexStringLower(packed), StringComparison.Ordinal);
        Assert.Contains("lengths that do not add up", ErrorOf(claims), StringComparison.Ordinal);
    }

    [Fact]
    public void The_reader_survives_everything() => Fuzz.Run("fraud file", [FraudFile.Write(Double), FraudFile.Write(Countersign)],
        static bytes =>
        {
            if (FraudFile.TryRead(bytes.ToArray(), out var proof, out _)) FraudRules.FaultOf(proof, Ed25519Signatures.Instance);
        }, allocationFactor: 64);
}
