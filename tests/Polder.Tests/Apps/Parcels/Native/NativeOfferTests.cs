using System.Text;
using Polder.Apps.Parcels.Native;
using Polder.Cryptography;
using Polder.Net;

namespace Polder.Tests.Apps.Parcels.Native;

public sealed class NativeOfferTests
{
    private static NativeItem Item(string path, long size = 9) => new(path, size, 1_763_734_800, false, Hash256.Of(Encoding.UTF8.GetBytes(path)));

    [Theory]
    [InlineData("a.txt")]
    [InlineData("a/b/c.txt")]
    [InlineData("übung/日本.txt")]
    [InlineData(".hidden")]
    [InlineData("con/fig.txt", true)]
    [InlineData("../a", true)]
    [InlineData("a/../b", true)]
    [InlineData("/etc/passwd", true)]
    [InlineData("a//b", true)]
    [InlineData("a/", true)]
    [InlineData("a\\b", true)]
    [InlineData("C:\\x", true)]
    [InlineData(".", true)]
    [InlineData("", true)]
    [InlineData("a\0b", true)]
    [InlineData("NUL", true)]
    [InlineData("x/aux.txt", true)]
    [InlineData("lpt1", true)]
    [InlineData("COM¹.log", true)]
    [InlineData("common.txt")]
    [InlineData(".a.txt.polder-part", true)]
    public void Paths_that_leave_their_folder_or_name_a_device_are_refused(string path, bool refused = false) =>
        Assert.Equal(refused, ItemPath.Problem(path) is not null);

    [Fact]
    public void Depth_and_length_have_limits_and_half_a_letter_is_none()
    {
        Assert.NotNull(ItemPath.Problem("a" + '\ud800' + "b"));
        Assert.Null(ItemPath.Problem(string.Join('/', Enumerable.Repeat("a", 32))));
        Assert.NotNull(ItemPath.Problem(string.Join('/', Enumerable.Repeat("a", 33))));
        Assert.Null(ItemPath.Problem(new string('a', 255)));
        Assert.NotNull(ItemPath.Problem(new string('ä', 128)));
    }

    [Theory]
    [InlineData("a", "A")]
    [InlineData("\u00e9", "e\u0301")]
    [InlineData("a", "a/b")]
    [InlineData("A/x", "a")]
    public void Two_paths_that_mean_one_file_somewhere_are_refused(string one, string other) => Assert.NotNull(ItemPath.ListProblem([one, other]));

    [Fact]
    public void An_offer_comes_back_as_it_was()
    {
        var offer = NativeOffer.Of([Item("a/b.txt"), Item("c", 0)]);
        var back = NativeOffer.Read(offer.WriteOffer(), out var problem);
        Assert.Null(problem);
        Assert.Equal(offer.Items, back!.Items);
        Assert.Equal(9, back.Total);
        Assert.Equal([0, 1], back.ReadAnswer(NativeOffer.WriteAnswer(null))!);
        Assert.Equal([1], back.ReadAnswer(NativeOffer.WriteAnswer([1]))!);
        Assert.Null(back.ReadAnswer(NativeOffer.WriteAnswer([2])));
        Assert.Null(back.ReadAnswer(NativeOffer.WriteAnswer([1, 1])));
    }

    [Fact]
    public void A_long_list_goes_as_an_item_of_its_own()
    {
        var offer = NativeOffer.Of([.. Enumerable.Range(0, 700).Select(number => Item($"folder/{number}"))]);
        Assert.NotNull(offer.Manifest);
        Assert.True(offer.WriteOffer().Length < 300);
        var back = NativeOffer.Read(offer.WriteOffer(), out _)!;
        Assert.Equal(700, back.Count);
        Assert.Empty(back.Items);
        Assert.Equal(offer.Items, back.WithManifest(offer.WriteManifest(), out _)!.Items);
        Assert.Null(back.WithManifest(NativeOffer.Of([Item("x")]).WriteManifest(), out var problem));
        Assert.NotNull(problem);
    }

    [Theory]
    [InlineData("""{"offer":{"polder":{"v":1,"items":[{"path":"../x","size":1,"root":"R"}],"total":1,"leaf":65536}}}""")]
    [InlineData("""{"offer":{"polder":{"v":1,"items":[{"path":"x","size":-1,"root":"R"}],"total":-1,"leaf":65536}}}""")]
    [InlineData("""{"offer":{"polder":{"v":1,"items":[{"path":"x","size":9007199254740993,"root":"R"}],"total":9007199254740993,"leaf":65536}}}""")]
    [InlineData("""{"offer":{"polder":{"v":1,"items":[{"path":"x","size":1e30,"root":"R"}],"total":1,"leaf":65536}}}""")]
    [InlineData("""{"offer":{"polder":{"v":1,"items":[{"path":"x","size":1,"root":"R"}],"total":2,"leaf":65536}}}""")]
    [InlineData("""{"offer":{"polder":{"v":1,"items":[],"total":0,"leaf":65536}}}""")]
    [InlineData("""{"offer":{"polder":{"v":2,"items":[{"path":"x","size":1,"root":"R"}],"total":1,"leaf":65536}}}""")]
    [InlineData("""{"offer":{"polder":{"v":1,"manifest":{"root":"R","size":99999999999,"count":2},"total":1,"leaf":65536}}}""")]
    [InlineData("""{"offer":{"polder":{"v":1,"items":[{"path":"\ud800","size":1,"root":"R"}],"total":1,"leaf":65536}}}""")]
    [InlineData("""{"offer":{"file":{"filename":"x","filesize":1}}}""")]
    [InlineData("""[1]""")]
    public void Offers_that_break_a_rule_are_refused_with_a_sentence(string json)
    {
        Assert.Null(NativeOffer.Read(Encoding.UTF8.GetBytes(json.Replace("\"R\"", $"\"{new string('a', 64)}\"", StringComparison.Ordinal)), out var problem));
        Assert.NotNull(problem);
    }

    [Fact]
    public void Records_refuse_every_truncation_and_keep_what_they_say()
    {
        var set = new LeafSet(9);
        set.Add(3);
        Assert.True(DataRecord.TryRead(DataRecord.Have(7, set), out var have) && have.Item == 7 && LeafSet.FromRuns(9, have.Rest)!.Present == 1);
        Assert.True(DataRecord.TryRead(DataRecord.Stop(StopCode.Disk, new string('ß', 400)), out var stop) && stop.Code == StopCode.Disk && stop.Rest.Length == 500);
        Fuzz.RefusesEveryTruncation(DataRecord.ItemDone(3), static bytes => DataRecord.TryRead(bytes, out _));
        Fuzz.RefusesEveryTruncation(DataRecord.AllDone(Hash256.Of([1])), static bytes => DataRecord.TryRead(bytes, out _));
    }

    [Fact]
    public void Records_frames_datagrams_offers_and_meeting_values_survive_any_bytes()
    {
        var set = new LeafSet(1000);
        set.Add(500);
        byte[] leaf = new byte[40];
        DataRecord.WriteLeafHeader(leaf, 1, 2);
        Fuzz.Run("parcel records", [DataRecord.Have(0, set), DataRecord.Hashes(0, 0, [Hash256.Of([])]), leaf, DataRecord.ItemDone(1), DataRecord.AllDone(Hash256.Of([])), DataRecord.Stop(StopCode.Breach, "why")],
            static bytes =>
            {
                if (DataRecord.TryRead(bytes, out var record) && record.Type == DataRecordType.Have) LeafSet.FromRuns(1000, record.Rest);
            });
        Fuzz.Run("parcel run frames", [new RunFrame("0123456789", "pake", new byte[33]).Write()], static bytes => RunFrame.TryRead(bytes), allocationFactor: 64);
        Fuzz.Run("parcel datagrams", [new LanDatagram(new byte[20], new byte[8]).Write(), new LanDatagram(new byte[20], new byte[8], new byte[32], 9).Write()], static bytes => LanDatagram.TryRead(bytes));
        Fuzz.Run("parcel offers", [NativeOffer.Of([Item("a/b"), Item("c")]).WriteOffer()], static bytes => NativeOffer.Read(bytes.ToArray(), out _), allocationFactor: 64);
        var (secret, key) = (new byte[64], new byte[32]);
        Ed25519.Expand(new byte[32], secret, key);
        var at = DateTimeOffset.UnixEpoch.AddDays(20_000);
        var value = new MeetingValue(key, at.ToUnixTimeSeconds(), true, [Endpoint.FromIPv4(0x7F000001, 9)]).Write(new byte[20], secret);
        Fuzz.Run("parcel meeting values", [value], bytes => MeetingValue.TryRead(bytes, new byte[20], at));
    }

    [Fact]
    public void A_meeting_value_holds_for_its_rendezvous_and_its_hour_only()
    {
        var (secret, key) = (new byte[64], new byte[32]);
        Ed25519.Expand(new byte[32], secret, key);
        var at = DateTimeOffset.UnixEpoch.AddDays(20_000);
        var meeting = Rendezvous.Of("7", 20_000);
        Assert.True(Endpoint.TryParse("[2001:db8::1]:9", out var six));
        var written = new MeetingValue(key, at.ToUnixTimeSeconds(), true, [Endpoint.FromIPv4(0x0A000001, 9), six, six, six]).Write(meeting, secret);
        Assert.True(written.Length <= MeetingValue.BytesMax);
        var read = MeetingValue.TryRead(written, meeting, at)!;
        Assert.Equal(4, read.Endpoints.Count);
        Assert.True(read.TakesSessions);
        Assert.Null(MeetingValue.TryRead(written, Rendezvous.Of("8", 20_000), at));
        Assert.Null(MeetingValue.TryRead(written, meeting, at.AddHours(2)));
        written[50] ^= 1;
        Assert.Null(MeetingValue.TryRead(written, meeting, at));
    }

    [Fact]
    public void Near_midnight_both_days_count()
    {
        var midnight = DateTimeOffset.UnixEpoch.AddDays(20_000);
        Assert.Single(Rendezvous.Of("7", midnight.AddHours(12)));
        Assert.Equal([Rendezvous.Of("7", 20_000), Rendezvous.Of("7", 19_999)], Rendezvous.Of("7", midnight.AddMinutes(5)));
        Assert.Equal([Rendezvous.Of("7", 19_999), Rendezvous.Of("7", 20_000)], Rendezvous.Of("7", midnight.AddMinutes(-5)));
        Assert.NotEqual(Rendezvous.Of("7", 20_000), Rendezvous.Of("17", 20_000));
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 1)]
    [InlineData(3, 16)]
    [InlineData(8, 16)]
    public void Guesses_are_dear(int words, int budget) => Assert.Equal(budget, GuessBudget.OfReceiver(words));
}
