using ClaimCheck.Testing;

namespace ClaimCheck.Service.Tests.Staging;

/// <summary>Processes of one catalog stage in one place: what one has staged elsewhere the others could neither read nor erase.</summary>
public sealed class One_staging_for_one_catalog
{
    [Fact]
    public async Task A_process_with_another_folder_is_refused_while_one_lives_and_not_when_it_is_dead()
    {
        await using var scene = await Scene.CreateAsync(1);
        var first = await scene.StartServiceAsync();
        var another = new Dictionary<string, string>(scene.Settings, StringComparer.Ordinal) { ["ClaimCheck__Staging__Folder"] = Path.Combine(scene.DataDirectory, "other") };

        var (code, output) = await ServiceProcess.RunAsync(another);
        Assert.Equal(1, code);
        Assert.Contains($"Another process of this catalog stages files elsewhere ({Environment.MachineName}, process {first.Pid}, folder {scene.Staging})", output, StringComparison.Ordinal);
        Assert.Contains("one folder, shared between them (ClaimCheck:Staging:Folder)", output, StringComparison.Ordinal);

        // The same folder by another name is the same.
        var link = Path.Combine(scene.DataDirectory, "linked");
        Directory.CreateSymbolicLink(link, scene.Staging);
        var second = await scene.StartServiceAsync(("ClaimCheck__Staging__Folder", link));
        Assert.Equal(2, await CountAsync());
        Assert.Equal(0, await second.StopAsync());
        Assert.Equal(1, await CountAsync());

        await first.KillAsync();
        await Scene.SqlAsync(scene.Catalog, "UPDATE staging_places SET seen_at = seen_at - interval '21 seconds'"); // which is what its lease is over after
        await scene.StartServiceAsync(("ClaimCheck__Staging__Folder", another["ClaimCheck__Staging__Folder"]));
        Assert.Equal(1, await Scene.ScalarAsync<long>(scene.Catalog, "SELECT count(*) FROM staging_places WHERE seen_at > now() - interval '20 seconds'"));

        Task<long> CountAsync() => Scene.ScalarAsync<long>(scene.Catalog, "SELECT count(*) FROM staging_places");
    }
}
