using Polder.Net;
using Polder.Wire;

namespace Polder.Tests.Core;

public sealed class WireTests
{
    [Fact]
    public void The_first_failure_is_kept_and_defaults_follow()
    {
        var reader = new WireReader([1, 2, 3]);
        Assert.Equal(0x0102, reader.ReadUInt16());
        Assert.Equal(0u, reader.ReadUInt32());
        Assert.Equal(WireError.Truncated, reader.Error);
        Assert.Equal(0, reader.ReadByte());
        reader.Fail(WireError.BadValue);
        Assert.Equal(WireError.Truncated, reader.Error);
        Assert.Equal(0, reader.Remaining);
        Assert.False(reader.Finish());
    }

    [Fact]
    public void Bytes_left_over_are_an_error()
    {
        var reader = new WireReader([1, 2]);
        reader.ReadByte();
        Assert.False(reader.Finish());
        Assert.Equal(WireError.TrailingBytes, reader.Error);
    }

    [Fact]
    public void A_length_beyond_its_limit_or_the_data_allocates_nothing()
    {
        var reader = new WireReader([0xFF, 0xFF, 0xFF, 0xFF, 1]);
        Assert.True(reader.ReadBytes32(100).IsEmpty);
        Assert.Equal(WireError.TooLong, reader.Error);
        reader = new WireReader([0xFF, 0xFF, 1]);
        Assert.True(reader.ReadBytes16().IsEmpty);
        Assert.Equal(WireError.Truncated, reader.Error);
        reader = new WireReader([1]);
        Assert.True(reader.ReadBytes(-1).IsEmpty);
        Assert.True(reader.Failed);
    }

    [Fact]
    public void Text_must_be_utf8()
    {
        var reader = new WireReader([0, 2, 0xC3, 0x28]);
        Assert.Equal("", reader.ReadUtf8());
        Assert.Equal(WireError.NotUtf8, reader.Error);
    }

    [Fact]
    public void What_does_not_fit_throws()
    {
        Assert.Throws<InvalidOperationException>(() =>
        {
            var writer = new WireWriter(new byte[3]);
            writer.WriteUInt32(1);
        });
        Assert.Throws<ArgumentException>(() =>
        {
            var writer = new WireWriter(new byte[30]);
            writer.WriteIPv4(Endpoint.FromBytes(new byte[16], 1));
        });
        Assert.Throws<OverflowException>(() =>
        {
            var writer = new WireWriter(new byte[300]);
            writer.WriteBytes8(new byte[256]);
        });
    }

    [Fact]
    public void Readers_survive_anything()
    {
        Fuzz.Run("WireReader", [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]], bytes =>
        {
            var reader = new WireReader(bytes);
            while (reader.Remaining > 0)
                switch (reader.ReadByte() % 10)
                {
                    case 0: reader.ReadUInt16(); break;
                    case 1: reader.ReadUInt64(); break;
                    case 2: reader.ReadBytes8(); break;
                    case 3: reader.ReadBytes16(); break;
                    case 4: reader.ReadBytes32(1000); break;
                    case 5: reader.ReadUtf8(64); break;
                    case 6: reader.ReadIPv4(); break;
                    case 7: reader.ReadAddress(); break;
                    case 8: reader.ReadBoolean(); break;
                    default: reader.ReadInt32(); break;
                }
            reader.Finish();
        });
    }
}
