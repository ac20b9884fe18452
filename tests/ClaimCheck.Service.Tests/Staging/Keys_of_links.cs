using System.Text.Json;
using ClaimCheck.Service.Staging;
using ClaimCheck.Service.Startup;
using Microsoft.AspNetCore.Http;

namespace ClaimCheck.Service.Tests.Staging;

[Trait("needs", "nothing")]
public sealed class Keys_of_links : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("claimcheck-keys-").FullName;
    private readonly SetTime time = new() { Now = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero) };

    private string File => Path.Combine(folder, "link-keys.json");

    [Fact]
    public void Links_outlive_a_restart()
    {
        var link = Links().Sign("batches/x/y", TimeSpan.FromDays(7));

        Assert.Equal(LinkVerdict.Valid, Verify(Links(), link.Path));
    }

    [Fact]
    public void Only_the_owner_may_read_the_keys()
    {
        if (OperatingSystem.IsWindows())
            return; // has no file modes
        Links();

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, System.IO.File.GetUnixFileMode(File));
    }

    [Fact]
    public void A_key_gives_way_after_a_month_and_is_forgotten_once_its_links_are_dead()
    {
        var first = LinkKeys.Open(File, time).NewestId;
        time.Now += TimeSpan.FromDays(31);
        var old = Links().Sign("batches/x/y", TimeSpan.FromDays(7)); // signed by the second key: the first gave way at the start
        var second = LinkKeys.Open(File, time).NewestId;
        Assert.NotEqual(first, second);

        time.Now += TimeSpan.FromDays(31);
        _ = Links();
        Assert.Equal(LinkVerdict.Expired, Verify(Links(), old.Path)); // still known: it signed until just now
        Assert.DoesNotContain(first, System.IO.File.ReadAllText(File), StringComparison.Ordinal);

        time.Now += TimeSpan.FromDays(31);
        _ = Links();
        Assert.Equal(LinkVerdict.Invalid, Verify(Links(), old.Path));
        Assert.Equal(2, JsonDocument.Parse(System.IO.File.ReadAllText(File)).RootElement.GetProperty("keys").GetArrayLength());
    }

    [Fact]
    public void A_link_made_before_the_keys_change_is_valid_after_it()
    {
        Links();
        time.Now += TimeSpan.FromDays(29);
        var link = Links().Sign("batches/x/y", TimeSpan.FromDays(7));
        time.Now += TimeSpan.FromDays(2);

        Assert.Equal(LinkVerdict.Valid, Verify(Links(), link.Path));
    }

    [Fact]
    public void A_link_ends_to_the_second()
    {
        var links = Links();
        var (path, expiresAt) = links.Sign("batches/x/y", TimeSpan.FromSeconds(10));

        time.Now = expiresAt.AddMilliseconds(-1);
        Assert.Equal(LinkVerdict.Valid, Verify(links, path));
        time.Now = expiresAt;
        Assert.Equal(LinkVerdict.Expired, Verify(links, path));
    }

    [Theory]
    [InlineData("{")]
    [InlineData("{\"keys\":[]}")]
    [InlineData("{\"keys\":[{\"id\":\"a\",\"secret\":\"c2hvcnQ\",\"createdAt\":\"2026-01-01T00:00:00Z\"}]}")]
    [InlineData("null")]
    public void Damaged_keys_stop_the_start(string text)
    {
        System.IO.File.WriteAllText(File, text);

        Assert.Contains("damaged", Assert.Throws<StartupException>(Links).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_services_that_start_at_once_have_the_same_key()
    {
        for (var round = 0; round < 30; round++)
        {
            System.IO.File.Delete(File);
            var keys = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => LinkKeys.Open(File, time).NewestId)));

            Assert.Single(keys.Distinct());
            Assert.Single(Directory.GetFiles(folder));
        }
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private static LinkVerdict Verify(StagedFileLinks links, string path)
    {
        var uri = new Uri("http://localhost" + path);
        var query = new QueryCollection(Microsoft.AspNetCore.WebUtilities.QueryHelpers.ParseQuery(uri.Query));
        return links.Verify(uri.AbsolutePath[StagedFileLinks.Root.Length..], query, "GET");
    }

    private StagedFileLinks Links() => new(LinkKeys.Open(File, time), time);

    private sealed class SetTime : TimeProvider
    {
        public DateTimeOffset Now { get; set; }

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
