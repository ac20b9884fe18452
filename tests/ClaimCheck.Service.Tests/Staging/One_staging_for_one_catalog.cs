using ClaimCheck.Service.Catalog;
using ClaimCheck.Service.Staging;
using ClaimCheck.Service.Startup;
using ClaimCheck.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace ClaimCheck.Service.Tests.Staging;

/// <summary>Processes of one catalog stage in one place: what one has staged elsewhere the others could neither
/// read nor erase.</summary>
public sealed class One_staging_for_one_catalog
{
    [Fact]
    public async Task A_process_with_another_folder_is_refused_while_one_lives_and_not_when_it_is_dead()
    {
        await using var scene = await Scene.CreateAsync(1);
        await using var catalog = NpgsqlDataSource.Create(scene.Catalog);
        CatalogDatabase.ConfigureDapper();
        await Migrations.ApplyAsync(catalog, NullLogger.Instance, default);
        var (here, elsewhere) = (Directory.CreateDirectory(Path.Combine(scene.DataDirectory, "here")).FullName,
            Directory.CreateDirectory(Path.Combine(scene.DataDirectory, "elsewhere")).FullName);
        using var first = await EnterAsync(catalog, here);
        await first.StartAsync(default);

        scene.Settings["ClaimCheck__Staging__Folder"] = elsewhere;
        var (code, output) = await ServiceProcess.RunAsync(scene.Settings);
        Assert.Equal(1, code);
        Assert.Contains(
            $"Another process of this catalog stages files elsewhere ({Environment.MachineName}, process "
            + $"{Environment.ProcessId}, folder {here}), and this one in folder {elsewhere}",
            output,
            StringComparison.Ordinal);
        Assert.Contains("Let all processes use one folder, shared between them (ClaimCheck:Staging:Folder)", output,
            StringComparison.Ordinal);
        await Assert.ThrowsAsync<StartupException>(() => EnterAsync(catalog, "a-bucket", isBucket: true));

        // The same folder by another name is the same.
        var link = Path.Combine(scene.DataDirectory, "linked");
        Directory.CreateSymbolicLink(link, here);
        using var second = await EnterAsync(catalog, link);
        Assert.Equal(2, await CountAsync());
        await second.StopAsync(default);
        Assert.Equal(1, await CountAsync());

        // One that is gone without a word counts for as long as its lease lasts; one that went says so.
        using var third = await EnterAsync(catalog, here);
        await first.StopAsync(default);
        await Scene.SqlAsync(scene.Catalog, "UPDATE staging_places SET seen_at = seen_at - interval '21 seconds'");
        using var fourth = await EnterAsync(catalog, elsewhere);

        Task<long> CountAsync() => Scene.ScalarAsync<long>(scene.Catalog, "SELECT count(*) FROM staging_places");
    }

    [Fact]
    public async Task A_folder_s_id_stays_and_one_of_many_who_begin_at_once_gives_it()
    {
        var folder = Directory.CreateTempSubdirectory("claimcheck-place-").FullName;
        try
        {
            var names = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => PlaceOf(folder).Name())));
            Assert.Single(names.Distinct(StringComparer.Ordinal));
            Assert.Equal(names[0], PlaceOf(folder).Name());
            Assert.Single(Directory.GetFiles(folder));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static StagingPlace PlaceOf(string folder) => new(new(), new(folder));

    private static async Task<StagingPlaces> EnterAsync(NpgsqlDataSource catalog, string name, bool isBucket = false)
    {
        var places = new StagingPlaces(
            catalog, isBucket ? new StagingPlace(new() { Bucket = name }) : PlaceOf(name), NullLogger<StagingPlaces>.Instance);
        try
        {
            await places.EnterAsync(default);
            return places;
        }
        catch
        {
            places.Dispose();
            throw;
        }
    }
}
