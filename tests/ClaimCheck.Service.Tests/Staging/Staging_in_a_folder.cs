using ClaimCheck.Service.Staging;
using ClaimCheck.Service.Startup;

namespace ClaimCheck.Service.Tests.Staging;

public sealed class Staging_in_a_folder : What_every_staging_does
{
    internal override async Task<StagingLab> NewLabAsync() => await FolderLab.NewAsync();

    [Theory]
    [InlineData("")]
    [InlineData("batches/")]
    [InlineData("batches/../link-keys.json")]
    [InlineData("batches/x/../../../etc/passwd")]
    [InlineData("batches//etc/passwd")]
    [InlineData("/etc/passwd")]
    [InlineData("uploads/x")]
    [InlineData("batches/x/.hidden")]
    [InlineData("batches/x/a\\b")]
    [InlineData("batches/x/a~b")]
    [InlineData("batches/x/a\0b")]
    [InlineData("batches/x/ä")]
    public async Task Nothing_but_a_key_of_staging_becomes_a_path(string key)
    {
        await using var lab = await FolderLab.NewAsync();

        await Assert.ThrowsAsync<StagingException>(() => lab.Staging.BeginAsync(key, StagedContent.Json("x.json"), default));
        await Assert.ThrowsAsync<StagingException>(() => lab.Staging.OpenReadAsync(key, 0, 1, default));
        await Assert.ThrowsAsync<StagingException>(() => lab.Staging.DeleteAsync([new StagedObject(key, null, 0)], default));
        await Assert.ThrowsAsync<StagingException>(
            () => lab.Staging.SignAsync(key, TimeSpan.FromMinutes(1), LinkAudience.Consumer, "GET", default));
        await Assert.ThrowsAsync<StagingException>(
            () => lab.Staging.AbortAsync(new StagedMultipartUpload(key, Guid.NewGuid().ToString("N")), default));
    }

    [Theory]
    [InlineData("../../link-keys.json")]
    [InlineData("x")]
    [InlineData("")]
    public async Task An_upload_id_is_no_path_either(string id)
    {
        await using var lab = await FolderLab.NewAsync();

        await Assert.ThrowsAsync<StagingException>(() => lab.Staging.AbortAsync(new StagedMultipartUpload(lab.Key, id), default));

        Assert.True(File.Exists(Path.Combine(lab.Data, "link-keys.json")) || id.Length < 3);
    }

    [Fact]
    public async Task Deleting_removes_the_folders_it_empties_and_no_others()
    {
        await using var lab = await FolderLab.NewAsync();
        var other = StagingKeys.File(lab.Batch, "a2", "part-00001.csv.gz");
        await lab.StoreAsync(lab.Key, [1]);
        await lab.StoreAsync(other, [1]);

        await lab.Staging.DeleteAsync([new StagedObject(lab.Key, null, 1)], default);
        Assert.False(Directory.Exists(Path.GetDirectoryName(lab.PathOf(lab.Key))));
        Assert.True(File.Exists(lab.PathOf(other)));

        await lab.Staging.DeleteAsync([new StagedObject(other, null, 1)], default);
        Assert.False(Directory.Exists(lab.PathOf(lab.Prefix)));
        Assert.True(Directory.Exists(lab.PathOf(StagingKeys.Root)));
    }

    [Fact]
    public async Task A_completion_does_not_bring_back_a_folder_that_was_erased()
    {
        await using var lab = await FolderLab.NewAsync();
        await using var writer = lab.Staging.OpenWriter(
            await lab.Staging.BeginAsync(lab.Key, StagedContent.Json("x.json"), default));
        await writer.WriteAsync(new byte[] { 1 }, default);
        Directory.Delete(lab.PathOf(lab.Prefix), recursive: true);

        await Assert.ThrowsAsync<StagingException>(() => writer.CompleteAsync(default));

        Assert.False(Directory.Exists(lab.PathOf(lab.Prefix)));
    }

    [Fact]
    public async Task A_full_disk_is_a_transient_failure_that_says_so()
    {
        if (!File.Exists("/dev/full"))
            return; // Linux alone has a disk that is always full
        await using var lab = await FolderLab.NewAsync();
        var upload = await lab.Staging.BeginAsync(lab.Key, StagedContent.Json("x.json"), default);
        var file = Directory.GetFiles(Path.Combine(lab.Folder, "uploads")).Single();
        File.Delete(file);
        File.CreateSymbolicLink(file, "/dev/full");

        await using var writer = lab.Staging.OpenWriter(upload);
        var failure = await Assert.ThrowsAsync<StagingException>(async () =>
        {
            await writer.WriteAsync(StagingLab.Content(1 << 20), default);
            await writer.CompleteAsync(default);
        });

        Assert.True(failure.IsTransient);
        Assert.Contains("disk is full", failure.Message, StringComparison.Ordinal);
        Assert.Empty(await lab.ListAsync());
    }

    [Fact]
    public async Task A_folder_that_cannot_be_written_stops_the_start()
    {
        var data = Directory.CreateTempSubdirectory("claimcheck-staging-").FullName;
        await File.WriteAllTextAsync(Path.Combine(data, "staging"), "a file is in the way");

        var refusal = await Assert.ThrowsAsync<StartupException>(() => FolderLab.NewAsync(data));

        Assert.Contains("ClaimCheck:Staging:Folder", refusal.Message, StringComparison.Ordinal);
        Directory.Delete(data, recursive: true);
    }

    [Fact]
    public async Task Half_written_uploads_survive_a_restart_as_unfinished_ones()
    {
        var lab = await FolderLab.NewAsync();
        var upload = await lab.Staging.BeginAsync(lab.Key, StagedContent.Json("x.json"), default);
        await lab.StopAsync();

        await using var restarted = await FolderLab.NewAsync(lab.Data);

        Assert.Equal([upload], await restarted.Staging.ListUploadsAsync(lab.Prefix, default).ToListAsync());
        await restarted.Staging.AbortAsync(upload, default);
        Assert.Empty(await restarted.Staging.ListUploadsAsync(lab.Prefix, default).ToListAsync());
    }
}
